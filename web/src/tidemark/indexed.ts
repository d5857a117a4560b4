/**
 * The store in IndexedDB: database `tidemark`, with the object stores
 *
 *   outbox   entries, by their key
 *   kept     `session`, `cursor`, `rooms`, and `read <conversation key>` for each conversation that was read
 *
 * A method rejects if the database refuses: see safe.ts.
 */

import { openDB, type DBSchema, type IDBPDatabase } from 'idb'

import type { ConversationKey } from './contract'
import type { Place } from './cursor'
import {
  furtherOf, isConversationKey, keptEntry, keptPlace, keptRooms, keptSession, laterOf,
  type Kept, type KeptEntry, type KeptSession, type Store,
} from './store'

interface Schema extends DBSchema {
  outbox: { key: string; value: unknown }
  kept: { key: string; value: unknown }
}

const readPrefix = 'read '

/** Opens the database; rejects where there is none, or where another version of the page does not let go of it. */
export async function openIndexed(lost: () => void): Promise<Store> {
  const opened = openDB<Schema>('tidemark', 1, {
    upgrade(database) {
      database.createObjectStore('outbox', { keyPath: 'key' })
      database.createObjectStore('kept')
    },
    // A newer page wants to change the database: it gets it, and this one goes on without.
    blocking: () => {
      void opened.then((database) => database.close())
      lost()
    },
    terminated: lost,
  })
  return new IndexedStore(await opened)
}

class IndexedStore implements Store {
  readonly keeps = true
  readonly #database: IDBPDatabase<Schema>

  constructor(database: IDBPDatabase<Schema>) {
    this.#database = database
  }

  async load(): Promise<Kept> {
    const kept = this.#database.transaction('kept').store
    const [keys, values] = await Promise.all([kept.getAllKeys(), kept.getAll()])
    const by = new Map(keys.map((key, index) => [key, values[index]]))
    const readAt = new Map<ConversationKey, Place>()
    for (const [name, value] of by) {
      const key = name.slice(readPrefix.length)
      const place = name.startsWith(readPrefix) ? keptPlace(value) : undefined
      if (place !== undefined && isConversationKey(key)) readAt.set(key, place)
    }
    return {
      session: keptSession(by.get('session')), cursor: keptPlace(by.get('cursor')), rooms: keptRooms(by.get('rooms')), readAt,
    }
  }

  /** Written at once: the page may be about to end. What another tab had written is made up for afterwards. */
  async signIn(session: KeptSession): Promise<void> {
    const { store, done } = this.#database.transaction('kept', 'readwrite')
    const asked = store.get('session')
    const put = store.put(session, 'session')
    store.transaction.commit()
    const [value] = await Promise.all([asked, put, done])
    const kept = keptSession(value)
    if (kept?.userID === session.userID) return
    if (kept === undefined || laterOf(session, kept) === session) return this.#database.delete('kept', 'cursor')
    await this.#change('session', (now) => (keptSession(now)?.sessionID === session.sessionID ? kept : now))
  }

  async forget(sessionID: string): Promise<void> {
    const { store, done } = this.#database.transaction('kept', 'readwrite')
    const work = async () => {
      if (keptSession(await store.get('session'))?.sessionID !== sessionID) return
      await Promise.all([store.delete('session'), store.delete('cursor')])
    }
    await Promise.all([work(), done])
  }

  async place(place: Place): Promise<void> {
    const { store, done } = this.#database.transaction('kept', 'readwrite')
    const put = store.put(place, 'cursor')
    store.transaction.commit() // waits for no answer: the page may be about to end
    await Promise.all([put, done])
  }

  async join(room: string): Promise<void> {
    await this.#change('rooms', (value) => [...new Set([...keptRooms(value), room])])
  }

  async leave(room: string): Promise<void> {
    await this.#change('rooms', (value) => keptRooms(value).filter((kept) => kept !== room))
  }

  async read(key: ConversationKey, place: Place): Promise<void> {
    await this.#change(readPrefix + key, (value) => furtherOf(place, keptPlace(value)))
  }

  async forgetRead(): Promise<void> {
    await this.#database.delete('kept', IDBKeyRange.bound(readPrefix, readPrefix + '\uffff'))
  }

  async clear(): Promise<void> {
    const transaction = this.#database.transaction(['kept', 'outbox'], 'readwrite')
    await Promise.all([
      transaction.objectStore('kept').clear(), transaction.objectStore('outbox').clear(), transaction.done,
    ])
  }

  async entries(): Promise<KeptEntry[]> {
    return (await this.#database.getAll('outbox')).flatMap((value) => keptEntry(value) ?? [])
  }

  /** Resolves once it is on the disk, as far as the browser can tell: only then may the message be sent. */
  async put(entry: KeptEntry): Promise<void> {
    const { store, done } = this.#database.transaction('outbox', 'readwrite', { durability: 'strict' })
    const put = store.put(entry)
    store.transaction.commit() // waits for no answer: a page that is left right after Enter must have kept it
    await Promise.all([put, done])
  }

  async delete(key: string): Promise<void> {
    const { store, done } = this.#database.transaction('outbox', 'readwrite', { durability: 'strict' })
    await Promise.all([store.delete(key), done])
  }

  async adopt(from: string, to: string): Promise<KeptEntry[]> {
    const { store, done } = this.#database.transaction('outbox', 'readwrite', { durability: 'strict' })
    const work = async () => {
      const kept = (await store.getAll()).flatMap((value) => keptEntry(value) ?? [])
      const adopted = kept.filter(({ tab }) => tab === from).map((entry) => ({ ...entry, tab: to }))
      await Promise.all(adopted.map((entry) => store.put(entry)))
      return adopted
    }
    return (await Promise.all([work(), done]))[0]
  }

  close(): void {
    this.#database.close()
  }

  /** Replaces a value by one that depends on it; other tabs wait meanwhile. */
  async #change(key: string, next: (value: unknown) => unknown): Promise<void> {
    const { store, done } = this.#database.transaction('kept', 'readwrite')
    const work = async () => store.put(next(await store.get(key)), key)
    await Promise.all([work(), done])
  }
}
