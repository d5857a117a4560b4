/**
 * What the user has said, kept until the log has it: one message in flight at a time, in the order in which they were
 * typed, each until it is stored or refused for good.
 *
 *   add() ──▶ pending ──▶ transmitted ──▶ ack ok ──────▶ sent
 *                ▲            │
 *                │            ├── no ack in time, connection lost, rate limited: again, under the same key
 *                └────────────┤
 *                             └── ack not ok ──────────▶ refused
 *
 * Keys. A guest's key is an idempotency key, good on every later connection, only where it starts with a Socket.IO id.
 * So a message has no key while it waits for its first connection; its first transmission gives it
 * `<socket.id>-<n>` with the id of that moment, and all further ones repeat that key. Trying again is then always safe,
 * whether or not an earlier attempt was stored: the log answers with the original's offset.
 *
 * The outbox lives in memory: a reload forgets what was still pending.
 */

import type { Ack, Refusal } from './contract'

export interface OutboxEntry {
  /** Counts up from 1 for each message of this page; not known to the gateway. */
  readonly id: number
  readonly content: string
  state: 'pending' | 'sent' | 'refused'
  /** The idempotency key, from the first transmission on. */
  key?: string
  /** Place in the log, once sent. */
  offset?: number
  /** Why, once refused; while pending, what makes it wait (`rate_limited`). */
  refusal?: Refusal
}

/** Hands a message to the current connection. `answer` may be called late, or never. */
export type Transmit = (content: string, key: string, answer: (ack: Ack | undefined) => void) => void

export interface OutboxOptions {
  transmit: Transmit
  /** Told of each change of an entry, and of each new one. */
  changed: (entry: OutboxEntry) => void
  /** How long to wait for an ack before transmitting again. */
  ackTimeoutMs: number
}

/** How long a rate limit is waited for when it does not say, and the shortest and longest wait that are believed. */
const rateLimit = { unknownMs: 1_000, shortestMs: 50, longestMs: 60_000 }

export class Outbox {
  readonly #options: OutboxOptions
  /** Entries that are pending, oldest first; only the first is ever in flight. */
  readonly #queue: OutboxEntry[] = []
  /** Undefined while there is no connection. */
  #socketId: string | undefined
  /** Runs while the first entry is in flight or made to wait. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #count = 0

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  add(content: string): OutboxEntry {
    const entry: OutboxEntry = { id: ++this.#count, content, state: 'pending' }
    this.#queue.push(entry)
    this.#options.changed(entry)
    this.#next()
    return entry
  }

  connected(socketId: string): void {
    this.#socketId = socketId
    this.#stopWaiting()
    this.#next()
  }

  disconnected(): void {
    this.#socketId = undefined
    this.#stopWaiting()
  }

  /** A message of ours was received with its key: the log has it, whatever has become of the ack. */
  seen(key: string, offset: number): void {
    const entry = this.#queue.find((waiting) => waiting.key === key)
    if (entry !== undefined) this.#settle(entry, { ok: true, offset })
  }

  #next(): void {
    const [entry] = this.#queue
    if (entry === undefined || this.#socketId === undefined || this.#timer !== undefined) return
    entry.key ??= `${this.#socketId}-${entry.id}`
    this.#wait(this.#options.ackTimeoutMs)
    this.#options.transmit(entry.content, entry.key, (ack) => {
      if (ack !== undefined) this.#settle(entry, ack)
    })
  }

  /** Late acks count, those of an earlier transmission too: the key is the same, and so is the answer. */
  #settle(entry: OutboxEntry, ack: Ack): void {
    if (entry.state !== 'pending') return
    if (ack.ok) {
      entry.state = 'sent'
      entry.offset = ack.offset
      delete entry.refusal
    } else {
      entry.refusal = ack.error
      if (ack.error.code === 'rate_limited') return this.#postpone(entry, ack.error)
      entry.state = 'refused'
    }
    this.#remove(entry)
    this.#options.changed(entry)
    this.#next()
  }

  #postpone(entry: OutboxEntry, { retryAfterMs = rateLimit.unknownMs }: Refusal): void {
    this.#options.changed(entry)
    if (this.#socketId === undefined) return
    this.#stopWaiting()
    this.#wait(Math.min(Math.max(retryAfterMs, rateLimit.shortestMs), rateLimit.longestMs))
  }

  #remove(entry: OutboxEntry): void {
    const index = this.#queue.indexOf(entry)
    this.#queue.splice(index, 1)
    if (index === 0) this.#stopWaiting()
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#next()
    }, ms)
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
