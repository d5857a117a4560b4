/**
 * What there is to show, apart from how: the messages of the log in its order, and below them one's own that are not
 * among them yet.
 *
 * A message of one's own comes from two sides, in either order: as an entry of the outbox, whose ack names its offset,
 * and as a message of the log. It is one row all the same: below as long as the log has not shown it, then in its place.
 */

import type { ChatMessage, OutboxEntry } from '../tidemark'

export class Timeline {
  /** By ascending offset; at most `limit`, the newest. */
  #messages: ChatMessage[] = []
  #entries = new Map<number, OutboxEntry>()
  /** Offsets of one's own messages. */
  readonly #own = new Set<number>()
  readonly #limit: number
  #omitted = 0

  /** What a page can hold without becoming slow bounds the messages it keeps. */
  constructor(limit = 2_000) {
    this.#limit = limit
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages
  }

  /** One's own messages that are to be shown below the log's, oldest first. */
  get waiting(): OutboxEntry[] {
    return [...this.#entries.values()]
  }

  /** How many older messages are no longer kept here. */
  get omitted(): number {
    return this.#omitted
  }

  isOwn(message: ChatMessage): boolean {
    return this.#own.has(message.offset)
  }

  /** Offsets ascend from call to call. */
  add(message: ChatMessage): void {
    this.#messages.push(message)
    for (const [id, entry] of this.#entries) {
      if (entry.offset === message.offset) this.#entries.delete(id)
    }
    // In slices, so that a long replay does not move the whole list for each message.
    if (this.#messages.length > this.#limit * 1.25) this.#trim()
  }

  /** Takes an entry that is new or has changed. */
  update(entry: OutboxEntry): void {
    if (entry.offset !== undefined) this.#own.add(entry.offset)
    if (entry.offset !== undefined && this.#has(entry.offset)) this.#entries.delete(entry.id)
    else this.#entries.set(entry.id, entry)
  }

  /** The log is another one: keeps only what is still to be sent, and what was refused. */
  reset(): void {
    this.#messages = []
    this.#own.clear()
    this.#omitted = 0
    for (const [id, entry] of this.#entries) {
      if (entry.state === 'sent') this.#entries.delete(id)
    }
  }

  /** Offsets ascend, so a message at or below the newest has been shown if it was to be shown at all. */
  #has(offset: number): boolean {
    return offset <= (this.#messages.at(-1)?.offset ?? 0)
  }

  #trim(): void {
    const surplus = this.#messages.length - this.#limit
    for (const { offset } of this.#messages.splice(0, surplus)) this.#own.delete(offset)
    this.#omitted += surplus
  }
}
