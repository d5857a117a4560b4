/**
 * A store that never fails and never keeps anybody waiting: where the browser refuses (a private window, a full disk,
 * storage that was cleared), the page goes on, and `keeps` says that a reload will forget.
 */

import type { ConversationKey } from './contract'
import type { Place } from './cursor'
import { openIndexed } from './indexed'
import { MemoryStore } from './memory'
import type { Kept, KeptEntry, KeptSession, Store } from './store'

/** How long the browser may take for one thing before the page goes on without. */
const patienceMs = 5_000

/** The store of this browser, or one in memory. */
export async function openStore(open: (lost: () => void) => Promise<Store> = openIndexed): Promise<SafeStore> {
  const kept: { store?: SafeStore } = {}
  let opening: Promise<Store> | undefined
  try {
    opening = open(() => kept.store?.lost())
    return (kept.store = new SafeStore(await inTime(opening)))
  } catch {
    opening?.then((late) => late.close(), () => {})
    return new SafeStore(new MemoryStore())
  }
}

export class SafeStore implements Store {
  readonly #store: Store
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

  async load(): Promise<Kept> {
    return (await this.#try(() => this.#store.load())) ?? new MemoryStore().load()
  }

  async signIn(session: KeptSession): Promise<void> {
    await this.#try(() => this.#store.signIn(session))
  }

  async forget(sessionID: string): Promise<void> {
    await this.#try(() => this.#store.forget(sessionID))
  }

  async place(place: Place): Promise<void> {
    await this.#try(() => this.#store.place(place))
  }

  async join(room: string): Promise<void> {
    await this.#try(() => this.#store.join(room))
  }

  async leave(room: string): Promise<void> {
    await this.#try(() => this.#store.leave(room))
  }

  async read(key: ConversationKey, offset: number): Promise<void> {
    await this.#try(() => this.#store.read(key, offset))
  }

  async forgetRead(): Promise<void> {
    await this.#try(() => this.#store.forgetRead())
  }

  async clear(): Promise<void> {
    await this.#try(() => this.#store.clear())
  }

  async entries(): Promise<KeptEntry[]> {
    return (await this.#try(() => this.#store.entries())) ?? []
  }

  async put(entry: KeptEntry): Promise<void> {
    await this.#try(() => this.#store.put(entry))
  }

  async delete(key: string): Promise<void> {
    await this.#try(() => this.#store.delete(key))
  }

  async adopt(from: string, to: string): Promise<KeptEntry[]> {
    return (await this.#try(() => this.#store.adopt(from, to))) ?? []
  }

  close(): void {
    this.#store.close()
  }

  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await inTime(work())
    } catch {
      this.#lost = true
      return undefined
    }
  }
}

class TooSlow extends Error {}

/** What fails later, after it was given up, is of no interest any more. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooSlow()), patienceMs)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
