/**
 * A store that does not fail and does not keep the page waiting: where the browser refuses (a private window, a full
 * disk, storage that was cleared), the page goes on, and `keeps` says that a reload will forget. Only `clear` tells.
 */

import type { ConversationKey } from './contract'
import type { Place } from './cursor'
import { openIndexed } from './indexed'
import { MemoryStore } from './memory'
import { inTime, patienceMs } from './patience'
import type { Kept, KeptEntry, KeptSession, Store } from './store'

/** How long the browser may take to say what it has kept: a page that begins without has nobody signed in. */
const loadMs = 15_000

/** The store of this browser, or one in memory. */
export async function openStore(open: (lost: () => void) => Promise<Store> = openIndexed): Promise<SafeStore> {
  const kept: { store?: SafeStore } = {}
  let opening: Promise<Store> | undefined
  try {
    opening = open(() => kept.store?.lost())
    return (kept.store = new SafeStore(await inTime(opening, patienceMs)))
  } catch {
    opening?.then((late) => late.close(), () => {})
    return new SafeStore(new MemoryStore())
  }
}

export class SafeStore implements Store {
  #store: Store
  #lost = false

  constructor(store: Store) {
    this.#store = store
  }

  get keeps(): boolean {
    return this.#store.keeps && !this.#lost
  }

  lost(): void {
    this.#lost = true
  }

  /** A store that does not say what it has is not written to either: that would replace a session which is still good. */
  async load(): Promise<Kept> {
    try {
      return await inTime(this.#store.load(), loadMs)
    } catch {
      this.#store.close()
      this.#store = new MemoryStore()
      return this.#store.load()
    }
  }

  async signIn(session: KeptSession): Promise<void> {
    await this.#inTime(() => this.#store.signIn(session))
  }

  async forget(sessionID: string): Promise<void> {
    await this.#inTime(() => this.#store.forget(sessionID))
  }

  async place(place: Place): Promise<void> {
    await this.#inTime(() => this.#store.place(place))
  }

  async join(room: string): Promise<void> {
    await this.#inTime(() => this.#store.join(room))
  }

  async leave(room: string): Promise<void> {
    await this.#inTime(() => this.#store.leave(room))
  }

  async read(key: ConversationKey, place: Place): Promise<void> {
    await this.#inTime(() => this.#store.read(key, place))
  }

  async forgetRead(): Promise<void> {
    await this.#inTime(() => this.#store.forgetRead())
  }

  /** @throws if something may still be kept: whoever signs out wants to know. */
  async clear(): Promise<void> {
    try {
      await inTime(this.#store.clear(), patienceMs)
    } catch (error) {
      this.#lost = true
      throw error
    }
  }

  /** However long it takes; so does `adopt`, which may have given entries to this tab that nobody else would send. */
  async entries(): Promise<KeptEntry[]> {
    return (await this.#try(() => this.#store.entries())) ?? []
  }

  async put(entry: KeptEntry): Promise<void> {
    await this.#inTime(() => this.#store.put(entry))
  }

  async delete(key: string): Promise<void> {
    await this.#inTime(() => this.#store.delete(key))
  }

  async adopt(from: string, to: string): Promise<KeptEntry[]> {
    return (await this.#try(() => this.#store.adopt(from, to))) ?? []
  }

  close(): void {
    this.#store.close()
  }

  #inTime<T>(work: () => Promise<T>): Promise<T | undefined> {
    return this.#try(() => inTime(work(), patienceMs))
  }

  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch {
      this.#lost = true
      return undefined
    }
  }
}
