/** A browser for tests: tabs that know of each other at once, and its page events. */

import type { Page } from './page'
import type { TabMessage } from './tabmessage'
import { reloadMs, type Tabs } from './tabs'

export class FakeBrowser {
  readonly #tabs = new Map<string, FakeTabs>()
  #count = 0

  open(): FakeTabs {
    const tabs = new FakeTabs(`tab${++this.#count}`, this)
    this.#tabs.set(tabs.id, tabs)
    return tabs
  }

  lives(tab: string): boolean {
    return this.#tabs.has(tab)
  }

  post(from: string, message: TabMessage): void {
    for (const tabs of [...this.#tabs.values()]) if (tabs.id !== from) tabs.hear(structuredClone(message))
  }

  end(tab: string): void {
    this.#tabs.delete(tab)
    for (const tabs of this.#tabs.values()) tabs.ended(tab)
  }
}

export class FakeTabs implements Tabs {
  readonly id: string
  readonly #browser: FakeBrowser
  readonly #listeners: ((message: TabMessage) => void)[] = []
  readonly #watched = new Map<string, () => void>()
  readonly #pauses: ReturnType<typeof setTimeout>[] = []

  constructor(id: string, browser: FakeBrowser) {
    this.id = id
    this.#browser = browser
  }

  async enter(): Promise<void> {}

  async isGone(tab: string): Promise<boolean> {
    return !this.#browser.lives(tab)
  }

  watch(tab: string, gone: () => void): void {
    if (!this.#browser.lives(tab)) return this.#pause(gone)
    if (!this.#watched.has(tab)) this.#watched.set(tab, gone)
  }

  post(message: TabMessage): void {
    if (this.#browser.lives(this.id)) this.#browser.post(this.id, message)
  }

  listen(listener: (message: TabMessage) => void): void {
    this.#listeners.push(listener)
  }

  /** Also what happens when the tab crashes. */
  close(): void {
    this.#watched.clear()
    for (const timer of this.#pauses) clearTimeout(timer)
    this.#browser.end(this.id)
  }

  hear(message: TabMessage): void {
    for (const listener of this.#listeners) listener(message)
  }

  ended(tab: string): void {
    const gone = this.#watched.get(tab)
    this.#watched.delete(tab)
    if (gone !== undefined) this.#pause(gone)
  }

  #pause(then: () => void): void {
    this.#pauses.push(setTimeout(then, reloadMs))
  }
}

export class FakePage implements Page {
  online: () => void = () => {}
  hide: () => void = () => {}

  onOnline(listener: () => void): void {
    this.online = listener
  }

  onHide(listener: () => void): void {
    this.hide = listener
  }

  close(): void {
    this.online = this.hide = () => {}
  }
}
