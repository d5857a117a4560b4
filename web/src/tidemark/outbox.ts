/**
 * What the user has said, kept until the log has it: one message in flight at a time, in the order in which they were
 * typed, each until it is stored or refused for good.
 *
 *   add() ──▶ kept ──▶ transmitted ──▶ ack ok ──────▶ stored, and no longer in the outbox
 *                ▲          │
 *                │          ├── no ack in time, connection lost, rate limited: again, under the same key
 *                └──────────┤
 *                           └── ack not ok ──────────▶ refused, until it is retried or discarded
 *
 * Keys. A message's key is a UUIDv7 made when it is typed, and kept with it before it is first transmitted. So trying
 * again is always safe, on later connections and later pages too, whether or not an earlier attempt was stored: the log
 * answers with the original's offset.
 */

import { v7 as uuid } from 'uuid'

import type { Ack, Conversation, Refusal, Stored } from './contract'
import { itemOf, keptOf, newEntry, sessionEnded, type Item, type OutboxEntry, type WaitsFor } from './entry'
import { backoffMs, rateLimitMs } from './pace'
import type { KeptEntry, Store } from './store'

/** Of so many messages, of this tab and of others, it is remembered that the log has them. */
const mostSettled = 1_000

/** Hands a message to the current connection. `answer` may be called late, or never. */
export type Transmit = (entry: OutboxEntry, answer: (ack: Ack | undefined) => void) => void

export interface OutboxOptions {
  store: Pick<Store, 'put' | 'delete'>
  /** The userID of whoever types, if he is known from an earlier page. */
  user: string | undefined
  /** The tab that the entries belong to. */
  tab: string
  transmit: Transmit
  /** Told of each change of an entry, and of each new one. */
  changed: (entry: OutboxEntry) => void
  /** Told of those that are gone without having been stored. */
  discarded: (entry: OutboxEntry) => void
  /** An ack says that the log has it; called before `changed`, not for what `seen` settles. */
  acked: (entry: OutboxEntry, ack: Stored) => void
  /** How long to wait for an ack before transmitting again. */
  ackTimeoutMs: number
}

export class Outbox {
  readonly #options: OutboxOptions
  /** What is pending or was refused, oldest first; of the pending ones only the first is ever in flight. */
  #items: Item[] = []
  /** Undefined only while nobody is signed in, or somebody by a new name. */
  #user: string | undefined
  #connected = false
  /** Keys that the log has: such an entry is not to be sent again if its tab ends without having noticed. */
  readonly #settled = new Set<string>()
  /** Runs while the first pending entry is in flight or made to wait. */
  #timer: ReturnType<typeof setTimeout> | undefined
  /** What the first pending entry waits for while there is a connection. */
  #firstWaitsFor: WaitsFor = 'turn'
  /** How often in a row it went unanswered on this connection. */
  #unanswered = 0

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#user = options.user
  }

  get entries(): OutboxEntry[] {
    return this.#items.map(({ entry }) => entry)
  }

  add(conversation: Conversation, content: string): OutboxEntry {
    const entry = newEntry({ key: uuid(), conversation, content, typedAt: Date.now() })
    const item: Item = { entry, user: this.#user, kept: false }
    this.#items.push(item)
    if (this.#connected) entry.waitsFor = 'turn'
    this.#options.changed(entry)
    void this.#keep(item).then(() => {
      item.kept = true
      this.#next()
    })
    return entry
  }

  /** Entries of tabs that are gone; they are this tab's from now on. */
  adopt(kept: readonly KeptEntry[]): void {
    for (const entry of kept) this.#adopt(entry)
    this.#refuseOthers()
    this.#next()
  }

  #adopt(kept: KeptEntry): void {
    if (this.#settled.has(kept.key)) return void this.#options.store.delete(kept.key)
    if (this.#items.some(({ entry }) => entry.key === kept.key)) return
    const item = itemOf(kept)
    this.#items.push(item)
    this.#options.changed(item.entry)
  }

  /** Whoever types from now on is this user, connected or not. */
  signedIn(user: string): void {
    this.#user = user
    this.#refuseOthers()
  }

  /** A connection of this user begins. */
  connected(user: string): void {
    for (const item of this.#items) {
      if (item.user !== undefined) continue
      item.user = user
      void this.#keep(item)
    }
    this.#connected = true
    this.signedIn(user)
    this.#startAnew()
  }

  disconnected(): void {
    this.#connected = false
    this.#startAnew()
  }

  /** Nobody is signed in any more: what is pending can no longer be sent under the name it was typed under. */
  signedOut(): void {
    this.#user = undefined
    this.#connected = false
    this.#stopWaiting()
    for (const item of [...this.#items]) if (item.entry.state === 'pending') this.#refuse(item, sessionEnded)
  }

  /** A message of ours was received with its key: the log has it, whatever has become of the ack. */
  seen(key: string, offset: number): void {
    const item = this.#items.find(({ entry }) => entry.key === key)
    if (item !== undefined) this.#stored(item, offset)
    else this.#remember(key)
  }

  /** A refused message was not stored, so that it needs a new key: the old one could answer with the refusal. */
  retry(entry: OutboxEntry): void {
    const item = this.#refused(entry)
    if (item === undefined) return
    this.add(entry.conversation, entry.content)
    this.#discard(item)
  }

  discard(entry: OutboxEntry): void {
    const item = this.#refused(entry)
    if (item !== undefined) this.#discard(item)
  }

  /** Forgets everything. */
  clear(): void {
    this.#stopWaiting()
    const items = this.#items
    this.#items = []
    this.#user = undefined
    this.#connected = false
    for (const { entry } of items) {
      void this.#options.store.delete(entry.key)
      this.#options.discarded(entry)
    }
  }

  #first(): Item | undefined {
    return this.#items.find(({ entry }) => entry.state === 'pending')
  }

  #next(): void {
    const first = this.#first()
    if (first?.kept && this.#connected && this.#timer === undefined) this.#transmit(first)
    this.#describe()
  }

  #transmit(item: Item): void {
    this.#firstWaitsFor = this.#unanswered > 0 ? 'retry' : 'ack'
    item.entry.transmissions++
    this.#wait(this.#options.ackTimeoutMs, () => {
      this.#firstWaitsFor = 'retry'
      this.#wait(backoffMs(this.#unanswered++), () => this.#next())
      this.#describe()
    })
    this.#options.transmit(item.entry, (ack) => {
      if (ack !== undefined) this.#settle(item, ack)
    })
  }

  /** Late acks count, those of an earlier transmission too: the key is the same, and so is the answer. */
  #settle(item: Item, ack: Ack): void {
    if (item.entry.state !== 'pending' || !this.#items.includes(item)) return
    if (ack.ok) {
      this.#options.acked(item.entry, ack)
      return this.#stored(item, ack.offset)
    }
    if (ack.error.code === 'rate_limited') return this.#postpone(item, ack.error)
    this.#refuse(item, ack.error)
    this.#next()
  }

  #postpone(item: Item, { retryAfterMs }: Refusal): void {
    if (!this.#connected || item !== this.#first()) return
    this.#stopWaiting()
    this.#firstWaitsFor = 'rate limit'
    this.#wait(rateLimitMs(retryAfterMs), () => this.#next())
    this.#describe()
  }

  #stored(item: Item, offset: number): void {
    this.#remember(item.entry.key)
    this.#leave(item)
    item.entry.state = 'stored'
    item.entry.offset = offset
    delete item.entry.refusal
    this.#remove(item)
    this.#options.changed(item.entry)
    this.#next()
  }

  #remember(key: string): void {
    this.#settled.add(key)
    for (const oldest of this.#settled) {
      if (this.#settled.size <= mostSettled) break
      this.#settled.delete(oldest)
    }
  }

  #refuse(item: Item, refusal: Refusal): void {
    this.#leave(item)
    item.entry.state = 'refused'
    item.entry.refusal = refusal
    void this.#keep(item)
    this.#options.changed(item.entry)
  }

  #refuseOthers(): void {
    const isAnothers = ({ user }: Item) => this.#user !== undefined && user !== undefined && user !== this.#user
    for (const item of [...this.#items]) {
      if (item.entry.state === 'pending' && isAnothers(item)) this.#refuse(item, sessionEnded)
    }
  }

  /** The entry is about to be no longer pending. */
  #leave(item: Item): void {
    if (item === this.#first()) this.#stopWaiting()
    delete item.entry.waitsFor
  }

  #refused(entry: OutboxEntry): Item | undefined {
    return this.#items.find((item) => item.entry.key === entry.key && item.entry.state === 'refused')
  }

  #discard(item: Item): void {
    this.#remove(item)
    this.#options.discarded(item.entry)
  }

  #remove(item: Item): void {
    this.#items = this.#items.filter((other) => other !== item)
    void this.#options.store.delete(item.entry.key)
  }

  #keep(item: Item): Promise<void> {
    return this.#options.store.put(keptOf(item, this.#options.tab))
  }

  /** Says of each pending entry what it waits for, where that is another thing than before. */
  #describe(): void {
    const first = this.#first()
    for (const item of this.#items) {
      if (item.entry.state !== 'pending') continue
      const waitsFor = !this.#connected ? 'connection' : item === first ? this.#firstWaitsFor : 'turn'
      if (item.entry.waitsFor === waitsFor) continue
      item.entry.waitsFor = waitsFor
      this.#options.changed(item.entry)
    }
  }

  #startAnew(): void {
    this.#stopWaiting()
    this.#next()
  }

  #wait(ms: number, then: () => void): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      then()
    }, ms)
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#unanswered = 0
    this.#firstWaitsFor = 'turn'
  }
}
