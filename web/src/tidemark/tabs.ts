/**
 * The other tabs of this browser that show the same gateway.
 *
 * Each tab has a connection of its own, and sends what was typed in it. While it lives it holds a Web Lock,
 * `tidemark tab <id>`; who is granted that lock knows that the tab is gone, and that its entries of the outbox are to be
 * adopted. Those who wait share the lock, so that one of them that is frozen keeps no other one waiting.
 */

import { v4 as uuid } from 'uuid'

import { parseTabMessage, type TabMessage } from './tabmessage'

export interface Tabs {
  /** Of this tab, and of no other one ever. */
  readonly id: string
  /** Resolves when others can tell that this tab lives. */
  enter(): Promise<void>
  /** Whether the tab no longer lives; true as well where that cannot be known. */
  isGone(tab: string): Promise<boolean>
  /** Calls `gone` once, `reloadMs` after the tab has ended; never where that cannot be known. */
  watch(tab: string, gone: () => void): void
  /** Tells the other tabs. */
  post(message: TabMessage): void
  listen(listener: (message: TabMessage) => void): void
  close(): void
}

/**
 * How long others leave the entries of a tab that is gone alone. A tab that is loaded again is gone for a moment, and
 * comes back under another id: its new page, which pauses for nothing, is to find what the old one has left, so that
 * what is typed next does not overtake it.
 */
export const reloadMs = 3_000

/** What of the browser is needed; either may be missing (locks: where the page is no secure context). */
export interface TabsEnvironment {
  locks?: Pick<LockManager, 'request'> | undefined
  channel?: BroadcastChannel | undefined
}

export class BrowserTabs implements Tabs {
  readonly id = uuid()
  readonly #locks: TabsEnvironment['locks']
  readonly #channel: BroadcastChannel | undefined
  readonly #closing = new AbortController()
  /** Tabs whose locks are waited for. */
  readonly #watched = new Set<string>()
  readonly #pauses = new Set<ReturnType<typeof setTimeout>>()
  /** The lock of this tab is held. */
  #entered = false

  constructor({ locks, channel }: TabsEnvironment) {
    this.#locks = locks
    this.#channel = channel
  }

  enter(): Promise<void> {
    const { signal } = this.#closing
    return new Promise((entered) => {
      const hold = () => new Promise<void>((release) => {
        this.#entered = true
        entered()
        if (signal.aborted) release()
        signal.addEventListener('abort', () => release())
      })
      if (this.#locks === undefined) return entered()
      this.#locks.request(nameOf(this.id), { signal }, hold).catch(() => entered())
    })
  }

  async isGone(tab: string): Promise<boolean> {
    if (this.#locks === undefined || !this.#entered) return true
    try {
      return await this.#locks.request(nameOf(tab), { mode: 'shared', ifAvailable: true }, async (lock) => lock !== null)
    } catch {
      return true
    }
  }

  watch(tab: string, gone: () => void): void {
    if (this.#locks === undefined || !this.#entered || tab === this.id || this.#watched.has(tab)) return
    this.#watched.add(tab)
    const { signal } = this.#closing
    const granted = async () => {
      this.#watched.delete(tab)
      this.#pause(gone)
    }
    // Rejects when it is aborted; and where locks are refused, entries wait for the next page that is loaded.
    this.#locks.request(nameOf(tab), { mode: 'shared', signal }, granted).catch(() => {})
  }

  post(message: TabMessage): void {
    if (!this.#closing.signal.aborted) this.#channel?.postMessage(message)
  }

  listen(listener: (message: TabMessage) => void): void {
    this.#channel?.addEventListener('message', ({ data }) => {
      const message = parseTabMessage(data)
      if (message !== undefined && !this.#closing.signal.aborted) listener(message)
    }, { signal: this.#closing.signal })
  }

  close(): void {
    this.#closing.abort()
    for (const timer of this.#pauses) clearTimeout(timer)
    this.#channel?.close()
  }

  #pause(then: () => void): void {
    if (this.#closing.signal.aborted) return
    const timer = setTimeout(() => {
      this.#pauses.delete(timer)
      then()
    }, reloadMs)
    this.#pauses.add(timer)
  }
}

/** The tabs of this browser, as far as it lets them know of each other. */
export function browserTabs(): BrowserTabs {
  const locks = 'locks' in navigator ? navigator.locks : undefined
  return new BrowserTabs({ locks, channel: openChannel() })
}

function openChannel(): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel('tidemark')
  } catch {
    return undefined
  }
}

function nameOf(tab: string): string {
  return `tidemark tab ${tab}`
}
