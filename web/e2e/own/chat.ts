/** Our page as a person uses it. */

import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

import { ChatPage } from '../chatpage'

/** A line of the list of conversations. */
export interface SidebarLine {
  /** `room/general`, `user/<userID>`. */
  key: string
  title: string
  unread: number
  /** Of a person. */
  online?: boolean
}

export class Chat extends ChatPage {
  constructor(page: Page) {
    super(page, { input: '#content', messages: '#messages li[data-offset]' })
  }

  /** On the welcome: says who one is, and waits until one is inside. */
  async enter(name: string): Promise<void> {
    await this.page.fill('#name', name)
    await this.page.press('#name', 'Enter')
    await this.live()
  }

  phase(): Promise<string | null> {
    return this.page.getAttribute('#state', 'data-phase')
  }

  async hasPhase(phase: string): Promise<void> {
    await expect.poll(() => this.phase()).toBe(phase)
  }

  async live(): Promise<void> {
    await this.hasPhase('live')
  }

  /** As live(), with somebody who presses "Try now" whenever it is there. */
  async impatientlyLive(): Promise<void> {
    const press = () => this.page.locator('#retry-now').evaluateAll((buttons) => buttons.forEach((button) => (button as HTMLElement).click()))
    await expect.poll(async () => {
      await press()
      return this.phase()
    }, { interval: 200 }).toBe('live')
  }

  lines(): Promise<SidebarLine[]> {
    return this.page.locator('#conversations a[data-conversation]').evaluateAll((links) => links.map((link) => {
      const online = link.closest('li')?.dataset.online
      return {
        key: (link as HTMLElement).dataset.conversation ?? '',
        title: link.querySelector('.title')?.textContent?.trim() ?? '',
        unread: parseInt(link.querySelector('.unread')?.textContent ?? '0', 10),
        ...(online === undefined ? {} : { online: online === 'true' }),
      }
    }))
  }

  async line(title: string): Promise<SidebarLine | undefined> {
    return (await this.lines()).find((line) => line.title === title)
  }

  /** The userID of whoever is signed in. */
  async userID(): Promise<string> {
    const own = () => this.page.locator('#people a[data-conversation]', { hasText: '(you)' })
    await expect.poll(() => own().count()).toBe(1)
    return (await own().getAttribute('data-conversation') ?? '').slice('user/'.length)
  }

  async hasUnread(title: string, count: number): Promise<void> {
    await expect.poll(async () => (await this.line(title))?.unread).toBe(count)
  }

  /** Opens one of the conversations in the list. */
  async choose(title: string): Promise<void> {
    const find = () => this.line(title)
    await expect.poll(find).toBeDefined()
    await this.chooseKey((await find())?.key ?? '')
  }

  async chooseKey(key: string): Promise<void> {
    await this.page.locator(`#conversations a[data-conversation=${JSON.stringify(key)}]`).click()
    await this.hasOpen(key)
  }

  async hasOpen(key: string): Promise<void> {
    const open = () => this.page.locator('#conversations a[aria-current=page]').getAttribute('data-conversation')
    await expect.poll(open).toBe(key)
  }

  /** Joins a room, which then is open. */
  async join(room: string): Promise<void> {
    await this.page.fill('#room-name', room)
    await this.page.press('#room-name', 'Enter')
    await this.hasOpen(`room/${room}`)
  }

  title(): Promise<string | null> {
    return this.page.textContent('#conversation h1')
  }

  /** One's own that are not stored yet: `hello: pending`, ... */
  marks(): Promise<string[]> {
    return this.page.locator('#outbox li[data-key]').evaluateAll((rows) => rows.map((row) => {
      return `${row.querySelector('.text')?.textContent}: ${(row as HTMLElement).dataset.mark}`
    }))
  }

  async hasMarks(marks: string[]): Promise<void> {
    await expect.poll(() => this.marks()).toEqual(marks)
  }

  /** What the outbox says in words. */
  reasons(): Promise<string[]> {
    return this.page.locator('#outbox li[data-key] .mark').evaluateAll((marks) => {
      return marks.map((mark) => mark.textContent?.trim() ?? '')
    })
  }

  row(text: string): Locator {
    const exact = new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
    return this.page.locator('#messages li[data-offset]').filter({ has: this.page.locator('.text', { hasText: exact }) })
  }

  waiting(text: string): Locator {
    return this.page.locator('#outbox li[data-key]').filter({ has: this.page.locator('.text', { hasText: text }) })
  }

  mode(): Promise<string | null> {
    return this.page.getAttribute('#conversation', 'data-mode')
  }

  async hasMode(mode: 'live' | 'around' | 'as of'): Promise<void> {
    await expect.poll(() => this.mode()).toBe(mode)
  }

  async signOut(): Promise<void> {
    await this.page.click('#sign-out')
    await this.page.click('#confirm-sign-out')
    await this.page.waitForSelector('form#welcome')
  }
}
