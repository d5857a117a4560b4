/** Writes down how far one has come and read: often enough for a reload, and seldom enough for a replay. */

import type { ConversationKey } from './contract'
import type { Place } from './cursor'
import type { Store } from './store'

const everyMs = 250

export class Keeper {
  readonly #store: Pick<Store, 'place' | 'read' | 'forgetRead'>
  #place: Place | undefined
  readonly #readAt: Map<ConversationKey, number>
  #unwritten = new Set<ConversationKey>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(store: Pick<Store, 'place' | 'read' | 'forgetRead'>, readAt: ReadonlyMap<ConversationKey, number>) {
    this.#store = store
    this.#readAt = new Map(readAt)
  }

  readAt(key: ConversationKey): number | undefined {
    return this.#readAt.get(key)
  }

  /** A place of no known log is not worth keeping: see `epoch` in docs/contract.md. */
  place(place: Place): void {
    if (place.epoch === undefined) return
    this.#place = place
    this.#soon()
  }

  /** Whether that is further than before. `write`: no other tab does. */
  read(key: ConversationKey, offset: number, write: boolean): boolean {
    if (offset <= (this.#readAt.get(key) ?? 0)) return false
    this.#readAt.set(key, offset)
    if (write) this.#unwritten.add(key)
    if (write) this.#soon()
    return true
  }

  forgetRead(): void {
    this.#readAt.clear()
    this.#unwritten.clear()
    void this.#store.forgetRead()
  }

  /** Forgets what is not written yet, and how far one has read. */
  forget(): void {
    this.forgetPlace()
    this.#readAt.clear()
    this.#unwritten.clear()
  }

  forgetPlace(): void {
    this.#place = undefined
  }

  /** Writes what is not written yet, and lets go of the timer. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#write()
  }

  #write(): void {
    if (this.#place !== undefined) void this.#store.place(this.#place)
    this.#place = undefined
    for (const key of this.#unwritten) void this.#store.read(key, this.#readAt.get(key) ?? 0)
    this.#unwritten.clear()
  }

  /** At once, if the last time is long enough ago. */
  #soon(): void {
    if (this.#timer !== undefined) return
    this.#write()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#place !== undefined || this.#unwritten.size > 0) this.#soon()
    }, everyMs)
  }
}
