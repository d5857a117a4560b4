/**
 * The chat as it stands between the client library, which knows of no user interface, and the components, which know
 * of no connection: threads by conversation, the part of one that is shown, and who is there.
 *
 *   Tidemark ── events ──▶ threads, people ── gathered for a moment ──▶ state ──▶ components
 *       ▲                                                                            │
 *       └──────────────────────────── actions ◀──────────────────────────────────────┘
 *
 * What arrives is gathered and shown together, so that a replay of thousands of messages is drawn a few times and not
 * thousands.
 */

import { shallowReactive } from 'vue'

import {
  general, keyOf, open, RequestError,
  type Conversation, type ConversationKey, type Message, type OutboxEntry, type Page, type PageRequest, type Person,
  type PersonWithMessages, type Tidemark,
} from '../tidemark'
import { addressOf, parseAddress } from './address'
import { peopleOrder, roomOrder } from './lines'
import { around, asOfOffset, asOfTime, loadNewer, loadOlder, pageSize, type Past } from './past'
import { Thread } from './thread'
import type { Bounds, Chat, ChatState, Line, View } from './types'
import { discontinuityWords, failureWords } from './words'

/** How long changes are gathered: one frame. A timer and not an animation frame, which a hidden tab does not get. */
const frameMs = 16

/** What is open, and how it is looked at. */
interface Opened {
  thread: Thread
  /** Undefined: the live end. */
  past: Past | undefined
  loading: View['loading']
  failure: string | undefined
  newAfter: number | undefined
  target: number | undefined
  visit: number
  /** Somebody reads its end right now. */
  atEnd: boolean
}

/** Where the page says what is open: the browser's location. */
export interface Address {
  hash(): string
  show(hash: string): void
}

export class LiveChat implements Chat {
  readonly state: ChatState
  readonly #client: Tidemark
  readonly #threads = new Map<ConversationKey, Thread>()
  readonly #people = new Map<string, Person>()
  /** From where on direct conversations are followed. */
  #directAfter: number | undefined
  #opened: Opened | undefined
  #visits = 0
  #priming = false
  #timer: ReturnType<typeof setTimeout> | undefined
  /** What the next frame has to make anew. */
  readonly #stale = { lines: true, view: true }
  readonly #address: Address

  constructor(client: Tidemark, address: Address) {
    this.#client = client
    this.#address = address
    this.state = shallowReactive<ChatState>({
      phase: client.identity === undefined ? 'nobody' : 'somebody',
      connection: client.state, progress: undefined, identity: client.identity, refusedName: undefined,
      notice: undefined, keeps: client.keeps, rooms: [], people: [], view: undefined, waiting: 0,
    })
    for (const room of client.rooms) this.#thread({ room })
    this.#listen()
    this.#changed('lines')
  }

  // What comes.

  #listen(): void {
    const client = this.#client
    client.on('state', (connection) => this.#connection(connection))
    client.on('progress', (progress) => (this.state.progress = progress))
    client.on('identity', () => this.#identity())
    client.on('message', (message) => this.#message(message))
    client.on('discontinuity', (what) => {
      if (what.reset) this.#forget()
      this.state.notice = discontinuityWords(what)
    })
    client.on('following', ({ conversation, after }) => this.#follow(conversation, after))
    client.on('left', (conversation) => this.#left(keyOf(conversation)))
    client.on('people', (people) => this.#everybody(people))
    client.on('person', (person) => {
      this.#people.set(person.userID, person)
      this.#changed('lines')
    })
    client.on('typing', ({ conversation, userID, username, typing }) => {
      const { typing: who } = this.#thread(conversation)
      if (typing) who.set(userID ?? username, username)
      else who.delete(userID ?? username)
      this.#changed('view')
    })
    client.on('outbox', (entry) => {
      if (entry.state === 'stored') this.#thread(entry.conversation).stored({ ...entry })
      this.#changed('view')
    })
    client.on('discarded', () => this.#changed('view'))
    client.on('read', ({ conversation, offset }) => {
      this.#thread(conversation).unread.readTo(offset)
      this.#changed('lines')
    })
  }

  #connection(connection: ChatState['connection']): void {
    this.state.connection = connection
    this.state.keeps = this.#client.keeps
    if (connection.phase !== 'catching up') this.state.progress = undefined
    if (connection.phase === 'live') {
      for (const thread of this.#threads.values()) thread.settled()
      void this.#prime()
      if (this.#opened?.failure !== undefined) this.#reload(this.#opened)
    }
    if (!connection.retrying && this.state.phase === 'entering' && connection.phase === 'offline') {
      this.state.phase = 'nobody'
      this.state.refusedName = connection.reason
    }
    this.#changed('view')
  }

  #identity(): void {
    const { identity } = this.#client
    const another = this.state.identity?.userID !== identity?.userID
    this.state.identity = identity
    this.state.phase = identity === undefined ? 'nobody' : 'somebody'
    if (identity === undefined || another) this.#startAnew()
    for (const room of this.#client.rooms) this.#thread({ room })
    if (this.#opened === undefined) this.openAddress(this.#address.hash())
    this.#changed('lines')
  }

  #startAnew(): void {
    this.#threads.clear()
    this.#people.clear()
    this.#directAfter = undefined
    this.#opened = undefined
    this.state.view = undefined
    this.state.refusedName = undefined
  }

  #message(message: Message): void {
    const thread = this.#thread(message.conversation)
    this.#meet(message)
    thread.take([message])
    if (!this.#isOwn(message)) this.#countUnread(thread, [message])
    if (message.from !== undefined) thread.typing.delete(message.from)
    this.#changed('lines')
  }

  /** Somebody who is not on the list, which has an end, has a name all the same. */
  #meet({ conversation, from, username }: Message): void {
    if (!('user' in conversation) || from !== conversation.user || username === undefined || this.#people.has(from)) return
    this.#people.set(from, { userID: from, username, connected: true })
  }

  #isOwn(message: Message): boolean {
    return message.from !== undefined && message.from === this.#client.identity?.userID
  }

  #countUnread(thread: Thread, messages: readonly Message[]): void {
    const readAt = this.#client.readAt(thread.conversation) ?? 0
    const fresh = messages.filter((message) => message.offset > readAt && !this.#isOwn(message))
    thread.unread.add(...fresh.map(({ offset }) => offset))
  }

  /** All conversations go on as threads that know nothing yet. */
  #forget(): void {
    for (const thread of this.#threads.values()) thread.forget()
    this.#directAfter = undefined
    if (this.#opened !== undefined) this.#opened = { ...this.#opened, past: undefined, newAfter: undefined, target: undefined }
    this.#changed('lines')
  }

  #follow(conversation: Conversation | undefined, after: number): void {
    if (conversation === undefined) {
      this.#directAfter = after
      for (const thread of this.#threads.values()) if ('user' in thread.conversation) thread.follow(after)
    } else {
      const thread = this.#thread(conversation)
      thread.follow(after)
      // Who comes into a room has not missed what was said before.
      if (this.#client.readAt(conversation) === undefined) this.#client.read(conversation, after)
    }
    if (this.#opened !== undefined && !this.#opened.thread.primed) void this.loadOlder()
    this.#changed('lines')
  }

  #left(key: ConversationKey): void {
    this.#threads.delete(key)
    if (this.#opened?.thread.key === key) this.openAddress(this.address(general))
    this.#changed('lines')
  }

  #everybody(people: PersonWithMessages[]): void {
    this.#people.clear()
    for (const { messages, ...person } of people) {
      this.#people.set(person.userID, person)
      if (messages.length === 0) continue
      const thread = this.#thread({ user: person.userID })
      thread.newest = Math.max(thread.newest, messages.at(-1)?.offset ?? 0)
      this.#countUnread(thread, messages)
    }
    this.#changed('lines')
  }

  #thread(conversation: Conversation): Thread {
    const key = keyOf(conversation)
    let thread = this.#threads.get(key)
    if (thread === undefined) {
      thread = new Thread(conversation)
      if ('user' in conversation && this.#directAfter !== undefined) thread.follow(this.#directAfter)
      this.#threads.set(key, thread)
    }
    return thread
  }

  // What is shown.

  #changed(what: 'lines' | 'view'): void {
    this.#stale.view = true
    if (what === 'lines') this.#stale.lines = true
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#show()
    }, frameMs)
  }

  #show(): void {
    for (const thread of this.#threads.values()) {
      const opened = this.#opened?.thread === thread ? this.#opened : undefined
      if (opened === undefined || opened.atEnd) thread.trim(opened !== undefined)
    }
    if (this.#stale.lines) this.#showLines()
    if (this.#stale.view) this.state.view = this.#view()
    this.state.waiting = this.#client.outbox.filter(({ state }) => state === 'pending').length
    this.#stale.lines = this.#stale.view = false
  }

  #showLines(): void {
    const rooms = this.#client.rooms.map((room) => this.#line({ room }, room))
    const people = [...this.#people.values()].map((person) => this.#line({ user: person.userID }, person.username, person))
    this.state.rooms = rooms.sort(roomOrder)
    this.state.people = people.sort(peopleOrder)
  }

  #line(conversation: Conversation, title: string, person?: Person): Line {
    const key = keyOf(conversation)
    const thread = this.#threads.get(key)
    const line: Line = {
      key, conversation, title, unread: thread?.unread.count ?? 0, newest: thread?.newest ?? 0,
      self: person !== undefined && person.userID === this.#client.identity?.userID,
    }
    if (person !== undefined) line.person = person
    return line
  }

  #view(): View | undefined {
    if (this.#opened === undefined) return undefined
    const { thread, past, loading, failure, newAfter, target, visit } = this.#opened
    const span = past?.span ?? thread.span
    return {
      key: thread.key, conversation: thread.conversation, title: this.#title(thread.conversation),
      mode: past?.mode ?? 'live',
      messages: span?.messages ?? [], older: span?.older ?? true, newer: span?.newer ?? false,
      loading, failure, waiting: past === undefined ? this.#waiting(thread) : [],
      newAfter, target, visit, typing: past === undefined ? [...thread.typing.values()] : [], asOf: past?.asOf,
    }
  }

  #title(conversation: Conversation): string {
    if ('room' in conversation) return conversation.room
    return this.#people.get(conversation.user)?.username ?? conversation.user
  }

  #waiting(thread: Thread): OutboxEntry[] {
    const own = this.#client.outbox.filter((entry) => entry.state !== 'stored' && keyOf(entry.conversation) === thread.key)
    return [...thread.settling, ...own.map((entry) => ({ ...entry }))]
  }

  // What the user does.

  signIn(username: string): void {
    this.state.refusedName = undefined
    this.state.phase = 'entering'
    this.#client.signIn(username)
  }

  signOut(): Promise<void> {
    return this.#client.signOut()
  }

  retryNow(): void {
    this.#client.retryNow()
  }

  dismissNotice(): void {
    this.state.notice = undefined
  }

  address(conversation: Conversation, offset?: number): string {
    return addressOf(conversation, offset)
  }

  openAddress(hash: string): void {
    if (this.state.phase !== 'somebody') return
    const { conversation, offset } = parseAddress(hash) ?? { conversation: general }
    const inRoom = !('room' in conversation) || this.#client.rooms.includes(conversation.room)
    if (!inRoom) {
      void this.joinRoom((conversation as { room: string }).room).catch((error: unknown) => {
        this.state.notice = failureWords(error)
      })
    }
    this.#open(this.#thread(conversation), offset)
    this.#address.show(this.address(conversation, offset))
  }

  #open(thread: Thread, offset?: number): void {
    const before = this.#opened
    this.#opened = {
      thread, past: undefined, loading: undefined, failure: undefined, atEnd: false, target: offset, visit: ++this.#visits,
      newAfter: this.#client.readAt(thread.conversation),
    }
    if (before?.thread !== thread) before?.thread.trim(false)
    this.#changed('lines')
    if (!thread.primed) void this.loadOlder()
    if (offset !== undefined && thread.span?.has(offset) !== true) void this.#toMessage(offset)
  }

  async joinRoom(name: string): Promise<void> {
    await this.#client.join(name)
    this.#thread({ room: name })
    this.#changed('lines')
  }

  leaveRoom(name: string): Promise<void> {
    return this.#client.leave(name)
  }

  send(content: string): void {
    if (this.#opened === undefined || this.#opened.past !== undefined) return
    this.#opened.newAfter = undefined
    this.#client.send(this.#opened.thread.conversation, content)
  }

  retry(entry: OutboxEntry): void {
    this.#client.retry(entry)
  }

  discard(entry: OutboxEntry): void {
    this.#client.discard(entry)
  }

  typing(typing: boolean): void {
    if (this.#opened !== undefined) this.#client.typing(this.#opened.thread.conversation, typing)
  }

  readToEnd(): void {
    const opened = this.#opened
    if (opened === undefined || opened.past !== undefined) return
    opened.atEnd = true
    const { thread } = opened
    const messages = thread.span?.messages ?? []
    const newest = messages.at(-1)?.offset ?? 0
    // A line above nothing: whoever sees it all from here on needs none.
    const { newAfter } = opened
    if (newAfter !== undefined && thread.primed && !messages.some((message) => message.offset > newAfter && !this.#isOwn(message))) {
      opened.newAfter = undefined
    }
    if (newest > (this.#client.readAt(thread.conversation) ?? 0)) this.#client.read(thread.conversation, newest)
  }

  lookedAway(): void {
    const opened = this.#opened
    if (opened === undefined || !opened.atEnd) return
    opened.atEnd = false
    opened.newAfter = opened.thread.span?.messages.at(-1)?.offset
    this.#changed('view')
  }

  // The past.

  loadOlder(): Promise<void> {
    const opened = this.#opened
    const span = opened?.past?.span ?? opened?.thread.span
    if (opened === undefined || span === undefined || !span.older) return Promise.resolve()
    return this.#load(opened, 'older', async () => {
      const { thread } = opened
      await loadOlder(this.#client, thread.conversation, span)
      if (span === thread.span) this.#primed(thread)
    })
  }

  loadNewer(): Promise<void> {
    const opened = this.#opened
    const past = opened?.past
    if (opened === undefined || past === undefined || !past.span.newer) return Promise.resolve()
    return this.#load(opened, 'newer', async () => {
      await loadNewer(this.#client, opened.thread.conversation, past.span)
      const live = opened.thread.span
      if (live === undefined || opened.past !== past || !past.span.join(live)) return
      // What was read on to is the present.
      opened.thread.span = past.span
      opened.past = undefined
    })
  }

  async travelTo(moment: { offset: number } | { at: string }): Promise<void> {
    await this.#visit((ask, conversation) => {
      return 'offset' in moment ? asOfOffset(ask, conversation, moment.offset) : asOfTime(ask, conversation, moment.at)
    })
  }

  async #toMessage(offset: number): Promise<void> {
    await this.#visit((ask, conversation) => around(ask, conversation, offset))
    const opened = this.#opened
    if (opened?.target === offset && opened.past !== undefined && !opened.past.span.has(offset)) {
      this.state.notice = `There is no message ${offset} in this conversation.`
    }
  }

  /** The last visit to the past wins. */
  async #visit(
    go: (ask: (c: Conversation, r: PageRequest) => Promise<Page>, conversation: Conversation) => Promise<Past>,
  ): Promise<void> {
    const opened = this.#opened
    if (opened === undefined) return
    const visit = (opened.visit = ++this.#visits)
    opened.loading = undefined
    await this.#load(opened, 'other', async () => {
      const past = await go((conversation, request) => this.#client.history(conversation, request), opened.thread.conversation)
      if (opened.visit !== visit) return
      opened.past = past
      if (past.mode === 'as of') opened.target = undefined
    }, visit)
  }

  backToNow(): void {
    if (this.#opened !== undefined) this.openAddress(this.address(this.#opened.thread.conversation))
  }

  async bounds(): Promise<Bounds | undefined> {
    const opened = this.#opened
    if (opened === undefined) return undefined
    const { conversation } = opened.thread
    const [oldest, newest] = await Promise.all([
      this.#client.history(conversation, { after: 0, limit: 1 }), this.#client.history(conversation, { limit: 1 }),
    ])
    const [first] = oldest.messages
    const last = newest.messages.at(-1)
    return first === undefined || last === undefined ? undefined : { first, last }
  }

  /** Loads into what is open, once at a time; what happens to somebody who has gone on is not shown. */
  async #load(opened: Opened, what: NonNullable<View['loading']>, load: () => Promise<void>, visit = opened.visit): Promise<void> {
    if (opened.loading !== undefined) return
    opened.loading = what
    this.#changed('view')
    let failure: string | undefined
    try {
      await load()
    } catch (error) {
      failure = failureWords(error)
    }
    if (opened.visit === visit) {
      opened.loading = undefined
      opened.failure = failure
    }
    this.#changed('lines')
  }

  #reload(opened: Opened): void {
    opened.failure = undefined
    if (opened.target !== undefined && opened.past === undefined) void this.#toMessage(opened.target)
    else void this.loadOlder()
  }

  /** The newest page of each room, so that its unread messages and its place in the list are known. */
  async #prime(): Promise<void> {
    if (this.#priming) return
    this.#priming = true
    try {
      for (const thread of [...this.#threads.values()]) {
        const { span, conversation } = thread
        if (thread.primed || span === undefined || !('room' in conversation)) continue
        if (span.older && thread !== this.#opened?.thread) await loadOlder(this.#client, conversation, span)
        if (thread !== this.#opened?.thread) this.#primed(thread)
      }
    } catch (error) {
      if (!(error instanceof RequestError)) throw error // live again, it is tried again
    } finally {
      this.#priming = false
    }
  }

  #primed(thread: Thread): void {
    thread.primed = true
    thread.take([])
    const messages = thread.span?.messages ?? []
    thread.newest = Math.max(thread.newest, messages.at(-1)?.offset ?? 0)
    this.#countUnread(thread, messages.slice(-2 * pageSize))
    this.#changed('lines')
  }
}

/** The chat of the gateway that served the page, as the user whom this browser knows, at the page's address. */
export async function startChat(): Promise<Chat> {
  const client = await open()
  const chat = new LiveChat(client, {
    hash: () => location.hash,
    show: (hash) => {
      if (hash !== location.hash) history.replaceState(history.state, '', hash)
    },
  })
  addEventListener('hashchange', () => chat.openAddress(location.hash))
  chat.openAddress(location.hash)
  client.connect()
  return chat
}
