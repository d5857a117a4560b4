/**
 * The chat as it stands between the client library, which knows of no user interface, and the components, which know
 * of no connection.
 *
 *   Tidemark ── events ──▶ Known: threads and people ── gathered for a moment ──▶ state ──▶ components
 *       ▲                  Opened: what is looked at  ──┘                                      │
 *       └───────────────────────────────────── actions ◀───────────────────────────────────────┘
 *
 * What arrives is gathered and shown together, so that a replay of thousands of messages is drawn a few times and not
 * thousands.
 */

import { shallowReactive } from 'vue'

import { general, keyOf, open, type ConnectionState, type Conversation, type Identity, type OutboxEntry, type Tidemark } from '../tidemark'
import { addressOf, parseAddress } from './address'
import { Known, type What } from './known'
import { Opened } from './opened'
import type { Bounds, Chat, ChatState } from './types'
import { discontinuityWords, endedWords, failureWords, unsentWords } from './words'

/** How long changes are gathered: one frame. A timer and not an animation frame, which a hidden tab does not get. */
const frameMs = 16

/** Where the page says what is open: the browser's location. */
export interface Address {
  hash(): string
  show(hash: string): void
}

export class LiveChat implements Chat {
  readonly state: ChatState
  readonly #client: Tidemark
  readonly #address: Address
  readonly #known: Known
  #opened: Opened | undefined
  /** The notice that is about what is open. */
  #missing: string | undefined
  /** Runs while there is something to show. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #listsChanged = false
  /** It is the user who signs out. */
  #leaving = false

  constructor(client: Tidemark, address: Address) {
    this.#client = client
    this.#address = address
    this.state = shallowReactive<ChatState>({
      phase: client.identity === undefined ? 'nobody' : 'somebody',
      connection: client.state, progress: undefined, identity: client.identity, refusedName: undefined, ended: undefined,
      notice: undefined, keeps: client.keeps, rooms: [], people: [], view: undefined, waiting: 0,
    })
    client.on('discontinuity', (what) => {
      if (what.reset) this.#forget()
      this.state.notice = discontinuityWords(what)
    })
    this.#known = new Known(client, (what) => this.#changed(what))
    client.on('state', (connection) => this.#connection(connection))
    client.on('progress', (progress) => (this.state.progress = progress))
    client.on('identity', () => this.#identity())
    client.on('following', () => this.#opened?.load())
    client.on('left', (conversation) => {
      if (this.#opened?.thread.key === keyOf(conversation)) this.openAddress(this.address(general))
    })
    this.#changed('lists')
  }

  #connection(connection: ConnectionState): void {
    this.state.connection = connection
    if (connection.phase === 'live') {
      this.#known.settled(this.state.progress?.offset ?? 0)
      this.#opened?.load()
      void this.#known.prime(this.#opened?.thread)
    }
    if (connection.phase !== 'catching up') this.state.progress = undefined
    if (this.state.phase === 'entering' && connection.phase === 'offline' && !connection.retrying) {
      this.state.phase = 'nobody'
      this.state.refusedName = connection.reason
    }
    this.#changed('thread')
  }

  #identity(): void {
    const { identity } = this.#client
    if (this.state.identity?.userID !== identity?.userID) {
      this.#known.startAnew()
      this.#leave()
      this.#opened = undefined
      this.state.refusedName = this.state.notice = undefined
      if (this.state.identity !== undefined) this.#gone(this.state.identity)
    }
    this.state.identity = identity
    this.state.phase = identity === undefined ? 'nobody' : 'somebody'
    if (this.#opened === undefined) this.openAddress(this.#address.hash())
    this.#changed('lists')
  }

  /** Where one user was is nothing to the next one; and who did not go by himself is told what has happened. */
  #gone({ username }: Identity): void {
    this.#address.show(addressOf(general))
    const unsent = this.#client.outbox.length
    this.state.ended = this.#leaving || this.#client.identity !== undefined ? undefined : { username, words: endedWords(username, unsent) }
  }

  #forget(): void {
    this.#known.forget()
    this.#opened?.forget()
  }

  #changed(what: What): void {
    this.#listsChanged ||= what === 'lists'
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#show()
    }, frameMs)
  }

  #show(): void {
    const opened = this.#opened
    this.#known.flush(opened?.thread)
    opened?.bound()
    this.state.keeps = this.#client.keeps
    if (this.#listsChanged) {
      this.state.rooms = this.#known.rooms()
      this.state.people = this.#known.people()
      this.#listsChanged = false
    }
    this.state.waiting = this.#client.outbox.filter(({ state }) => state === 'pending').length
    this.state.view = opened?.view(this.#known.title(opened.thread.conversation), this.#known.waiting(opened.thread))
  }

  signIn(username: string): void {
    this.state.refusedName = undefined
    this.state.phase = 'entering'
    this.#client.signIn(username)
  }

  async signOut(): Promise<void> {
    this.#leaving = true
    try {
      await this.#client.signOut()
    } finally {
      this.#leaving = false
    }
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
    const { conversation, offset } = parseAddress(hash) ?? { conversation: general, offset: undefined }
    if ('room' in conversation && !this.#client.rooms.includes(conversation.room)) {
      this.joinRoom(conversation.room).catch((error: unknown) => (this.state.notice = failureWords(error)))
    }
    this.#leave()
    const opened: Opened = new Opened(this.#client, this.#known.thread(conversation), offset, {
      changed: () => this.#changed('thread'),
      missing: (target) => {
        if (this.#opened === opened) this.state.notice = this.#missing = `There is no message ${target} in this conversation.`
      },
      primed: (thread) => this.#known.primed(thread),
    })
    this.#opened = opened
    opened.load()
    this.#address.show(this.address(conversation, offset))
    this.#changed('thread')
  }

  #leave(): void {
    if (this.#opened === undefined) return
    this.typing(this.#opened.thread.conversation, false)
    this.#opened.close()
    if (this.state.notice === this.#missing) this.state.notice = undefined
  }

  async joinRoom(name: string): Promise<void> {
    await this.#client.join(name)
    this.#changed('lists')
  }

  async leaveRoom(name: string): Promise<void> {
    const unsent = this.#known.unsent({ room: name })
    if (unsent > 0) throw new Error(unsentWords(unsent))
    await this.#client.leave(name)
  }

  send(conversation: Conversation, content: string): void {
    if (this.#opened?.thread.key === keyOf(conversation)) this.#opened.spoke()
    this.#client.send(conversation, content)
  }

  retry(entry: OutboxEntry): void {
    this.#client.retry(entry)
  }

  discard(entry: OutboxEntry): void {
    this.#client.discard(entry)
  }

  typing(conversation: Conversation, typing: boolean): void {
    this.#client.typing(conversation, typing)
  }

  standsAtEnd(stands: boolean): void {
    this.#opened?.standsAtEnd(stands)
  }

  readToEnd(): void {
    this.#opened?.readToEnd(this.#client.identity)
  }

  lookedAway(): void {
    this.#opened?.lookedAway()
  }

  async loadOlder(): Promise<void> {
    await this.#opened?.loadOlder()
  }

  async loadNewer(): Promise<void> {
    await this.#opened?.loadNewer()
  }

  async again(): Promise<void> {
    await this.#opened?.again()
  }

  async travelTo(moment: { offset: number } | { at: string }): Promise<void> {
    await this.#opened?.travelTo(moment)
  }

  async bounds(): Promise<Bounds | undefined> {
    return this.#opened?.bounds()
  }

  backToNow(): void {
    if (this.#opened !== undefined) this.openAddress(this.address(this.#opened.thread.conversation))
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
