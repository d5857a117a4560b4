/** The conversation that is open, and how it is looked at: at its live end, or at a part of its past. */

import type { Conversation, Identity, Message, OutboxEntry, Page, PageRequest, Tidemark } from '../tidemark'
import { around, asOfOffset, asOfTime, loadNewer, loadOlder, type Past } from './past'
import type { Thread } from './thread'
import type { Bounds, View } from './types'
import { failureWords } from './words'

/** Told of what becomes of it: that it looks otherwise, or that a message one was to be shown does not exist. */
export interface Onlooker {
  changed(): void
  missing(offset: number): void
  /** The newest page of the thread is there. */
  primed(thread: Thread): void
}

/** What could not be loaded is tried again by itself after so long, as long as it is looked at. */
const againMs = 10_000

let visits = 0

export class Opened {
  readonly thread: Thread
  readonly #client: Tidemark
  readonly #onlooker: Onlooker
  /** Undefined: the live end. */
  #past: Past | undefined
  #loading: View['loading']
  #failure: string | undefined
  /** What failed last, to be done again; at the latest when the timer says so. */
  #again: (() => Promise<void>) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false
  #newAfter: number | undefined
  #target: number | undefined
  /** The target has been found, or does not exist. */
  #sought: boolean
  #visit = ++visits
  /** The live end is on the screen. */
  #atEnd = false
  /** Somebody reads it there. */
  #read = false

  constructor(client: Tidemark, thread: Thread, target: number | undefined, onlooker: Onlooker) {
    this.#client = client
    this.thread = thread
    this.#onlooker = onlooker
    this.#target = target
    this.#sought = target === undefined
    this.#newAfter = client.readAt(thread.conversation)
  }

  get live(): boolean {
    return this.#past === undefined
  }

  /** Bounds what is held for the screen. */
  bound(): void {
    if (!this.live) return this.thread.trim(false)
    if (this.#atEnd) return this.thread.trim(true)
    const span = this.thread.detach()
    if (span !== undefined) this.#past = { mode: 'around', span, asOf: undefined }
  }

  view(title: string, waiting: readonly OutboxEntry[]): View {
    const { thread } = this
    const span = this.#past?.span ?? thread.span
    return {
      key: thread.key, conversation: thread.conversation, title,
      mode: this.#past?.mode ?? 'live',
      messages: span?.messages ?? [], older: span?.older ?? true, newer: span?.newer ?? false,
      loading: this.#loading, failure: this.#failure,
      waiting: this.live ? waiting : [],
      typing: this.live ? [...thread.typing.values()] : [],
      newAfter: this.#newAfter, target: this.#target, visit: this.#visit, asOf: this.#past?.asOf,
    }
  }

  /** Loads what is to be seen first and is not there yet; again when the connection is back or is followed anew. */
  load(): void {
    this.#joinLive()
    const { span, primed } = this.thread
    if (this.#target !== undefined && span?.has(this.#target) === true) this.#sought = true
    if (!this.#sought && this.#target !== undefined) {
      if (this.#loading !== 'other') void this.#toMessage(this.#target)
    } else if (span?.older === false && !primed) this.#onlooker.primed(this.thread)
    else if (!primed || this.#failure !== undefined) void this.loadOlder()
  }

  /** Something else is looked at. */
  close(): void {
    clearTimeout(this.#timer)
    this.#again = undefined
    this.#closed = true
  }

  /** The log is another one: only its live end is left. */
  forget(): void {
    this.#past = this.#newAfter = this.#target = undefined
    this.#sought = true
  }

  loadOlder(): Promise<void> {
    const { thread } = this
    const span = this.#past?.span ?? thread.span
    if (span === undefined || !span.older) return Promise.resolve()
    return this.#once('older', async () => {
      await loadOlder(this.#client, thread.conversation, span)
      if (span === thread.span) this.#onlooker.primed(thread)
    })
  }

  loadNewer(): Promise<void> {
    const past = this.#past
    if (past === undefined || !past.span.newer) return Promise.resolve()
    return this.#once('newer', async () => {
      await loadNewer(this.#client, this.thread.conversation, past.span)
      this.#joinLive()
    })
  }

  /** What has been read on to the present is the present. */
  #joinLive(): void {
    const { thread } = this
    if (this.#past?.mode !== 'around' || thread.span === undefined || !this.#past.span.join(thread.span)) return
    thread.span = this.#past.span
    this.#past = undefined
    thread.trim(true)
    this.#onlooker.primed(thread)
  }

  travelTo(moment: { offset: number } | { at: string }): Promise<void> {
    return this.#go((ask, conversation) => {
      return 'offset' in moment ? asOfOffset(ask, conversation, moment.offset) : asOfTime(ask, conversation, moment.at)
    })
  }

  #toMessage(offset: number): Promise<void> {
    return this.#go((ask, conversation) => around(ask, conversation, offset), ({ span }) => {
      this.#sought = true
      if (!span.has(offset)) this.#onlooker.missing(offset)
      this.#joinLive()
    })
  }

  /** Tries what failed last once more. */
  async again(): Promise<void> {
    await this.#again?.()
  }

  async bounds(): Promise<Bounds | undefined> {
    const { conversation } = this.thread
    const [oldest, newest] = await Promise.all([
      this.#client.history(conversation, { after: 0, limit: 1 }), this.#client.history(conversation, { limit: 1 }),
    ])
    const [first] = oldest.messages
    const last = newest.messages.at(-1)
    return first === undefined || last === undefined ? undefined : { first, last }
  }

  /** One speaks oneself, and so has seen what there was. */
  spoke(): void {
    this.#newAfter = undefined
  }

  /** Whether the live end is on the screen. */
  standsAtEnd(stands: boolean): void {
    this.#atEnd = stands
  }

  readToEnd(identity: Identity | undefined): void {
    if (!this.live) return
    this.#read = true
    const { conversation, span, primed } = this.thread
    const messages = span?.messages ?? []
    const isNew = (message: Message) => message.offset > (this.#newAfter ?? Infinity) && message.from !== identity?.userID
    // A line with nothing below it: who sees all that comes from here on needs none.
    if (primed && !messages.some(isNew)) this.#newAfter = undefined
    const newest = messages.at(-1)?.offset ?? 0
    if (newest > (this.#client.readAt(conversation) ?? 0)) this.#client.read(conversation, newest)
  }

  lookedAway(): void {
    if (!this.#read) return
    this.#read = false
    this.#newAfter = this.thread.span?.messages.at(-1)?.offset ?? 0
    this.#onlooker.changed()
  }

  /** Shows a part of the past, and says so if it is still wanted then. The last call wins. */
  #go(
    go: (ask: (c: Conversation, r: PageRequest) => Promise<Page>, conversation: Conversation) => Promise<Past>,
    there: (past: Past) => void = () => {},
  ): Promise<void> {
    const visit = (this.#visit = ++visits)
    this.#loading = undefined
    return this.#once('other', async () => {
      const past = await go((conversation, request) => this.#client.history(conversation, request), this.thread.conversation)
      if (this.#visit !== visit) return // somebody has gone on
      this.#past = past
      if (past.mode === 'as of') this.#target = undefined
      there(past)
    })
  }

  /** Loads, unless something is being loaded already. */
  async #once(what: NonNullable<View['loading']>, load: () => Promise<void>): Promise<void> {
    if (this.#loading !== undefined) return
    const visit = this.#visit
    clearTimeout(this.#timer)
    this.#loading = what
    this.#onlooker.changed()
    let failure: string | undefined
    try {
      await load()
    } catch (error) {
      failure = failureWords(error)
    }
    if (this.#visit === visit) {
      this.#loading = undefined
      this.#failure = failure
      this.#again = failure === undefined ? undefined : () => this.#once(what, load)
      if (failure !== undefined && !this.#closed) this.#timer = setTimeout(() => void this.again(), againMs)
    }
    this.#onlooker.changed()
  }
}
