/** The page pages/lounge.html as a person uses it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Page } from 'playwright-core'
import { expect } from 'vitest'

import { ChatPage, onWebSocket } from './chatpage'

const html = readFileSync(join(import.meta.dirname, 'pages', 'lounge.html'), 'utf8')

export class LoungePage extends ChatPage {
  /** As if the gateway served the page: same origin. */
  static async open(page: Page, url: string): Promise<LoungePage> {
    await page.route(`${url}/lounge`, (route) => route.fulfill({ contentType: 'text/html', body: html }))
    await page.goto(`${url}/lounge`)
    return new LoungePage(page, { input: '#message', messages: '#lines .message' })
  }

  /** Says the nickname, and waits for the welcome. */
  async enter(nickname: string): Promise<void> {
    await this.page.fill('#nickname', nickname)
    await this.page.press('#nickname', 'Enter')
    await expect.poll(() => this.log()).toContain('Welcome')
    await onWebSocket(this.page)
  }

  /** `Welcome`, `Bo joined`, `Bo left`, `Disconnected`, ... */
  log(): Promise<string[]> {
    return this.page.locator('#lines .log').allTextContents()
  }

  /** How many there are, as it was told last. */
  async count(): Promise<number> {
    return Number((await this.page.locator('#lines .count').allTextContents()).at(-1))
  }

  async counts(people: number): Promise<void> {
    await expect.poll(() => this.count()).toBe(people)
  }

  /** Presses keys, and sends nothing. */
  async type(text: string): Promise<void> {
    await this.page.fill('#message', text)
  }

  async showsTyping(names: string[]): Promise<void> {
    const lines = names.map((name) => `${name}: is typing`)
    await expect.poll(() => this.page.locator('#lines .typing').allTextContents()).toEqual(lines)
  }

  /** Who said what: `Bo: hello`, ... */
  said(): Promise<string[]> {
    return this.page.locator('#lines .message').allTextContents()
  }
}
