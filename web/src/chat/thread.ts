/** What this page knows of one conversation, from where it follows it up to the present. */

import { keyOf, type Conversation, type ConversationKey, type Message, type OutboxEntry } from '../tidemark'
import { Span } from './span'
import { Unread } from './unread'

/** A thread that nobody looks at keeps this many messages; one that is open at its end is cut to as many beyond `most`. */
const keep = { closed: 200, open: 1_000, most: 2_000 }
/** Whoever reads further up is left alone up to here; then the newest are put aside for when he has read on. */
const mostReadUp = 10_000
/** A page in the background is woken seldom: so many are put among the others without waiting for that. */
const mostArrived = 1_000

export class Thread {
  readonly key: ConversationKey
  readonly conversation: Conversation
  readonly unread = new Unread()
  /** Undefined until it is known from where on it is followed. */
  span: Span | undefined
  /** Offset of the newest message known of, which the span need not reach down to. */
  newest = 0
  /** The oldest page of the span has been asked for, so that it is more than what happened to come. */
  primed = false
  /** Names of those who type, by who they are. */
  readonly typing = new Map<string, string>()
  /** Come, but not among the span's messages yet. */
  #arrived: Message[] = []
  /** Stored, but not among the messages yet. */
  readonly #settling = new Map<string, OutboxEntry>()

  constructor(conversation: Conversation) {
    this.key = keyOf(conversation)
    this.conversation = conversation
  }

  /** Every message after this offset comes. What was there before begins anew: there may be a hole between the two. */
  follow(after: number): void {
    this.span = new Span(after)
    this.primed = false
  }

  /** The log is another one. */
  forget(): void {
    this.span = undefined
    this.newest = 0
    this.primed = false
    this.unread.clear()
    this.#arrived = []
    this.#settling.clear()
  }

  /** Takes a message that has come; flush() puts those since the last one among the others, all at once. */
  take(message: Message): void {
    this.#arrived.push(message)
    this.newest = Math.max(this.newest, message.offset)
    if (this.#arrived.length >= mostArrived) this.flush()
  }

  flush(): void {
    if (this.span === undefined || this.#arrived.length === 0 && this.#settling.size === 0) return
    this.span.insertAll(this.#arrived)
    this.#arrived = []
    this.#settle()
  }

  /** A message of one's own has been stored; it is shown as waiting until it comes. */
  stored(entry: OutboxEntry): void {
    this.#settling.set(entry.key, entry)
  }

  get settling(): OutboxEntry[] {
    return [...this.#settling.values()]
  }

  /** A replay has ended: what was stored up to there has come. */
  settled(through: number): void {
    for (const [key, { offset = 0 }] of this.#settling) if (offset <= through) this.#settling.delete(key)
  }

  /** Bounds the memory of a thread that nobody looks at, or whose end is on the screen. */
  trim(open: boolean): void {
    const span = this.span
    if (span === undefined || span.messages.length <= (open ? keep.most : keep.closed)) return
    span.trim(open ? keep.open : keep.closed)
  }

  /** Bounds it for somebody who reads further up: answers with what he reads if the thread goes on without it. */
  detach(): Span | undefined {
    const span = this.span
    if (span === undefined || span.messages.length <= mostReadUp) return undefined
    this.span = span.detach(keep.closed)
    return span
  }

  #settle(): void {
    for (const [key, { offset = 0 }] of this.#settling) {
      if (this.span === undefined || offset <= this.span.floor || this.span.has(offset)) this.#settling.delete(key)
    }
  }
}
