/** A store that ends with the page: where the browser keeps nothing, and in tests. */

import type { ConversationKey } from './contract'
import type { Place } from './cursor'
import { firstRooms, furtherOf, laterOf, type Kept, type KeptEntry, type KeptSession, type Store } from './store'

export class MemoryStore implements Store {
  readonly keeps: boolean = false
  #session: KeptSession | undefined
  #cursor: Place | undefined
  #rooms = new Set(firstRooms)
  readonly #readAt = new Map<ConversationKey, Place>()
  readonly #entries = new Map<string, KeptEntry>()

  async load(): Promise<Kept> {
    return {
      session: this.#session, cursor: this.#cursor, rooms: [...this.#rooms], readAt: new Map(this.#readAt),
    }
  }

  async signIn(session: KeptSession): Promise<void> {
    const later = this.#session === undefined ? session : laterOf(session, this.#session)
    if (later.userID !== this.#session?.userID) this.#cursor = undefined
    this.#session = later
  }

  async forget(sessionID: string): Promise<void> {
    if (this.#session?.sessionID !== sessionID) return
    this.#session = undefined
    this.#cursor = undefined
  }

  async place(place: Place): Promise<void> {
    this.#cursor = place
  }

  async join(room: string): Promise<void> {
    this.#rooms.add(room)
  }

  async leave(room: string): Promise<void> {
    this.#rooms.delete(room)
  }

  async read(key: ConversationKey, place: Place): Promise<void> {
    this.#readAt.set(key, furtherOf(place, this.#readAt.get(key)))
  }

  async forgetRead(): Promise<void> {
    this.#readAt.clear()
  }

  async clear(): Promise<void> {
    this.#session = undefined
    this.#cursor = undefined
    this.#rooms = new Set(firstRooms)
    this.#readAt.clear()
    this.#entries.clear()
  }

  async entries(): Promise<KeptEntry[]> {
    return this.#inOrder()
  }

  async put(entry: KeptEntry): Promise<void> {
    this.#entries.set(entry.key, { ...entry })
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key)
  }

  async adopt(from: string, to: string): Promise<KeptEntry[]> {
    const adopted = this.#inOrder().filter(({ tab }) => tab === from).map((entry) => ({ ...entry, tab: to }))
    for (const entry of adopted) this.#entries.set(entry.key, entry)
    return adopted
  }

  close(): void {}

  #inOrder(): KeptEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  }
}
