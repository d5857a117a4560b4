/** The page pages/private.html as a person uses it. */

import type { Page } from 'playwright-core'
import { expect } from 'vitest'

import { onWebSocket } from './chatpage'
import { test as base } from './fixtures'
import { serveSite } from './site'
import type { Settings } from './standalone'

type Event = [name: string, ...args: any[]]

/** As conversation() shows them. */
export function spoken(author: string, texts: string[]): string[] {
  return texts.map((text) => `${author}: ${text}`)
}

export class PrivatePage {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  /** Says who one is, and waits until it is known who else there is. */
  async enter(name: string): Promise<void> {
    await this.page.fill('#name', name)
    await this.page.press('#name', 'Enter')
    await this.shown()
  }

  /** Waits until it is known who there is. */
  async shown(): Promise<void> {
    await expect.poll(() => this.people()).not.toEqual([])
    await onWebSocket(this.page)
  }

  /** Opens the page again, which begins with what the server knows. */
  async reload(): Promise<void> {
    await this.page.reload()
    await this.shown()
  }

  /** `Ana (yourself) online`, `Bo offline`, ...: oneself first, then by name. */
  people(): Promise<string[]> {
    return this.page.locator('#people li').allTextContents()
  }

  async shows(people: string[]): Promise<void> {
    await expect.poll(() => this.people()).toEqual(people)
  }

  unread(): Promise<string[]> {
    return this.page.locator('#people li[data-unread=true] button').allTextContents()
  }

  /** Opens the conversation with one person. */
  async choose(name: string): Promise<void> {
    await this.page.locator('#people button').evaluateAll(choose, name)
  }

  /** Says these to one person, one after another; does not wait for anything to come of it. */
  async say(name: string, ...texts: string[]): Promise<void> {
    await this.choose(name)
    for (const text of texts) {
      await this.page.fill('#message', text)
      await this.page.press('#message', 'Enter')
    }
  }

  /** The conversation with one person: `You: hello`, `Bo: hi`, ... */
  async conversation(name: string): Promise<string[]> {
    await this.choose(name)
    return this.page.locator('#messages li').allTextContents()
  }

  async reads(name: string, conversation: string[]): Promise<void> {
    await expect.poll(() => this.conversation(name)).toEqual(conversation)
  }

  /** The events since the page was opened. */
  heard(): Promise<Event[]> {
    return this.page.evaluate('heard')
  }

  async userID(): Promise<string> {
    return this.page.evaluate('socket.userID')
  }
}

/** In the page. Pages behind other tabs get no animation frames, which an ordinary click would wait for. */
function choose(buttons: Element[], name: string): void {
  const button = buttons.find(({ textContent }) => textContent === name) as HTMLElement | undefined
  if (button === undefined) throw new Error(`there is no ${name}`)
  button.click()
}

interface Fixtures {
  settings: Settings
  /** The origin that serves the page, and from which the gateway lets pages connect. */
  site: string
  /** Opens the page in somebody's browser, which the first call brings along and later ones are given. */
  open: (page?: Page) => Promise<PrivatePage>
  /** Somebody new, inside under this name. */
  entered: (name: string) => Promise<PrivatePage>
}

export const test = base.extend<Fixtures>({
  site: [async ({}, use) => serveSite(use), { scope: 'file' }],
  settings: async ({ settings, site }, use) => use({ ...settings, TIDEMARK_GATEWAY_CORS_ORIGINS: site }),
  open: async ({ server, person, site }, use) => {
    await use(async (page) => {
      const one = new PrivatePage(page ?? (await person()))
      await one.page.goto(`${site}/private.html?gateway=${server.url}`)
      return one
    })
  },
  entered: async ({ open }, use) => {
    await use(async (name) => {
      const one = await open()
      await one.enter(name)
      return one
    })
  },
})
