/** One user's conversations with the gateway: the parts put together. What it does for a page is said in tidemark.ts. */

import { Account } from './account'
import { Adoption } from './adoption'
import { Connection } from './connection'
import {
  conversationOf, keyOf, type Auth, type Conversation, type Page as MessagePage, type PageRequest,
  type Stored,
} from './contract'
import type { Place } from './cursor'
import { Emitter } from './emitter'
import { Feed } from './feed'
import { History } from './history'
import { Keeper } from './keeper'
import { messageOf, type OutboxEntry } from './entry'
import { listenToLog } from './listen'
import { Outbox } from './outbox'
import type { Page } from './page'
import * as parse from './parse'
import { People } from './people'
import { Requests } from './requests'
import { Rooms } from './rooms'
import { firstRooms, type Kept, type KeptSession, type Store } from './store'
import type { TabMessage } from './tabmessage'
import type { Tabs } from './tabs'
import type { ClientEvents, ConnectionState, Identity, Tidemark } from './tidemark'
import type { Token } from './token'
import { transmitter } from './transmit'
import { Typists } from './typists'
import type { Wire } from './wire'

/** How long to wait for the answer to `history`, `room join` or `room leave`. */
const requestTimeoutMs = 10_000

export interface ClientOptions {
  /** Makes the wire, not connected yet. It asks `auth` at every handshake. */
  wire: (auth: () => Auth) => Wire
  /** What is kept, as `store` has loaded it. */
  kept: Kept
  store: Store
  tabs: Tabs
  page: Page
  ackTimeoutMs?: number
  /** Where each handshake has a token: whether a refused one is worth another attempt, with another one. */
  token?: Pick<Token, 'accepted' | 'anew'>
  /** The longest packet that the gateway takes without closing the connection; undefined where it is not known. */
  maxPacketBytes?: () => number | undefined
}

export class Client implements Tidemark {
  readonly #store: Store
  readonly #tabs: Tabs
  readonly #page: Page
  readonly #events = new Emitter<ClientEvents>()
  readonly #account: Account
  readonly #connection: Connection
  readonly #requests: Requests
  readonly #history: History
  readonly #rooms: Rooms
  readonly #feed: Feed
  readonly #outbox: Outbox
  readonly #people: People
  readonly #typists: Typists
  readonly #keeper: Keeper
  readonly #adoption: Adoption
  readonly #loaded: KeptSession | undefined
  /** connect() was called, and close() was not. */
  #open = false

  constructor(options: ClientOptions) {
    const { kept, store, tabs, page, token, ackTimeoutMs = 10_000, maxPacketBytes = () => undefined } = options
    const emit = <E extends keyof ClientEvents>(name: E, value: ClientEvents[E]) => this.#events.emit(name, value)
    this.#loaded = kept.session
    this.#store = store
    this.#tabs = tabs
    this.#page = page
    const wire = options.wire(() => this.#auth())
    this.#requests = new Requests(wire, requestTimeoutMs)
    this.#history = new History(this.#requests)
    this.#keeper = new Keeper(store, kept.readAt, kept.session && kept.cursor?.epoch)
    this.#rooms = new Rooms({
      kept: kept.rooms, store, requests: this.#requests, emit,
      post: (message) => tabs.post(message),
      isConnected: () => wire.connected,
    })
    this.#feed = new Feed(kept.session && kept.cursor, {
      emit,
      follow: (after, anew) => this.#rooms.follow(after, anew),
      moved: (place) => this.#keeper.place(place),
      seen: (key, offset) => this.#outbox.seen(key, offset),
      wanted: ({ conversation }) => 'user' in conversation || this.#rooms.has(conversation.room),
      log: (epoch, reset) => this.#keeper.log(epoch, reset),
    })
    this.#outbox = new Outbox({
      store, user: kept.session?.userID, tab: tabs.id, ackTimeoutMs,
      transmit: transmitter(wire, maxPacketBytes),
      changed: (entry) => emit('outbox', entry),
      discarded: (entry) => emit('discarded', entry),
      acked: (entry, ack) => this.#acked(entry, ack),
    })
    this.#connection = new Connection(wire, {
      changed: (state) => emit('state', state),
      connected: () => this.#connected(),
      lost: () => this.#lost(),
      turnedAway: (reason) => {
        if (reason === 'invalid rooms') return this.#rooms.nameFewer()
        return token === undefined ? this.#account.turnedAway(reason) : token.anew(reason)
      },
    })
    this.#account = new Account(kept.session, {
      store, emit,
      connection: this.#connection,
      post: (message) => tabs.post(message),
      byToken: token !== undefined,
      isOpen: () => this.#open,
      ended: () => this.#ended(),
      forgotten: () => this.#forgotten(),
      known: (userID) => this.#outbox.signedIn(userID),
      greeted: (userID) => this.#outbox.connected(userID),
    })
    this.#people = new People(wire, emit)
    this.#typists = new Typists(wire, emit, () => this.identity?.userID)
    this.#adoption = new Adoption(store, tabs, (entries) => this.#outbox.adopt(entries))
    wire.on('session', (value) => {
      token?.accepted()
      this.#account.greeted(parse.session(value))
    })
    listenToLog(wire, this.#feed, () => this.identity?.userID, () => this.#connection.live())
    tabs.listen((message) => this.#hear(message))
    page.onOnline(() => this.retryNow())
    page.onHide(() => this.#keeper.flush())
  }

  /** Meets the other tabs, and takes over from those that are gone. */
  async begin(): Promise<void> {
    this.#tabs.post({ type: 'hello', tab: this.#tabs.id, answer: true })
    await Promise.all([this.#readAgain(), this.#adoption.begin()])
  }

  get state(): ConnectionState {
    return this.#connection.state
  }

  get identity(): Identity | undefined {
    return this.#account.identity
  }

  get rooms(): readonly string[] {
    return this.#rooms.names
  }

  get outbox(): readonly OutboxEntry[] {
    return this.#outbox.entries
  }

  get keeps(): boolean {
    return this.#store.keeps
  }

  readAt(conversation: Conversation): number | undefined {
    return this.#keeper.readAt(keyOf(conversation))
  }

  on<E extends keyof ClientEvents>(name: E, listener: (value: ClientEvents[E]) => void): () => void {
    return this.#events.on(name, listener)
  }

  connect(): void {
    this.#open = true
    this.#account.come()
    for (const entry of this.outbox) this.#events.emit('outbox', entry)
    if (this.#account.isSomebody) this.#connection.open()
  }

  retryNow(): void {
    if (this.#open && this.#account.isSomebody) this.#connection.retryNow()
  }

  close(): void {
    this.#open = false
    this.#connection.close()
    this.#keeper.flush()
    this.#page.close()
    this.#tabs.close()
    this.#store.close()
  }

  signIn(username: string): void {
    this.#open = true
    this.#account.signIn(username)
  }

  signOut(): Promise<void> {
    return this.#account.signOut()
  }

  send(conversation: Conversation, content: string): OutboxEntry {
    return this.#outbox.add(conversation, content)
  }

  retry(entry: OutboxEntry): void {
    this.#outbox.retry(entry)
  }

  discard(entry: OutboxEntry): void {
    this.#outbox.discard(entry)
  }

  join(room: string): Promise<void> {
    return this.#rooms.join(room)
  }

  leave(room: string): Promise<void> {
    return this.#rooms.leave(room)
  }

  history(conversation: Conversation, request?: PageRequest): Promise<MessagePage> {
    return this.#history.page(conversation, request)
  }

  typing(conversation: Conversation, typing: boolean): void {
    this.#typists.say(conversation, typing)
  }

  read(conversation: Conversation, offset: number): void {
    const key = keyOf(conversation)
    const place = this.#keeper.read(key, offset)
    if (place === undefined) return
    if (place.epoch !== undefined) this.#tabs.post({ type: 'read', key, offset, epoch: place.epoch })
    this.#events.emit('read', { conversation, offset })
  }

  /** What was loaded may have changed before this tab listened to the others. */
  async #readAgain(): Promise<void> {
    const kept = await this.#store.load()
    if (!this.#store.keeps || !this.#account.readAgain(this.#loaded, kept.session)) return
    this.#keeper.forget(kept.readAt)
    this.#rooms.forget(kept.rooms)
  }

  #auth(): Auth {
    return { ...this.#account.auth(), rooms: this.#rooms.handshake(), ...resume(this.#feed.place) }
  }

  #connected(): void {
    this.#rooms.connected()
    this.#feed.connected()
  }

  #lost(): void {
    this.#feed.disconnected()
    this.#outbox.disconnected()
    this.#requests.lost()
    this.#typists.lost()
  }

  /** A direct message of ours is stored: nobody else will say so on this connection. */
  #acked(entry: OutboxEntry, stored: Stored): void {
    if ('user' in entry.conversation && this.identity !== undefined) this.#feed.acked(messageOf(entry, stored, this.identity))
  }

  #hear(message: TabMessage): void {
    switch (message.type) {
      case 'hello':
        this.#adoption.meet(message.tab)
        if (message.answer) this.#tabs.post({ type: 'hello', tab: this.#tabs.id, answer: false })
        return
      case 'read':
        if (!this.#keeper.readElsewhere(message.key, { offset: message.offset, epoch: message.epoch })) return
        return this.#events.emit('read', { conversation: conversationOf(message.key), offset: message.offset })
      case 'joined':
        return void this.#rooms.joinedElsewhere(message.room)
      case 'left':
        return this.#rooms.leftElsewhere(message.room)
      case 'signed in':
        return this.#account.signedInElsewhere(message.session)
      case 'signed out':
        return void this.#account.signedOutElsewhere(message.userID)
    }
  }

  /** Nobody is signed in any more, or somebody else. Rooms, and how far one has read, stay for when he comes back. */
  #ended(): void {
    this.#feed.forget()
    this.#keeper.forgetPlace()
    this.#people.forget()
    this.#rooms.forget()
    this.#outbox.signedOut()
  }

  /** He does not want to be remembered. */
  #forgotten(): void {
    this.#outbox.clear()
    this.#keeper.forget()
    this.#rooms.forget(firstRooms)
  }
}

function resume(place: Place | undefined): Pick<Auth, 'serverOffset' | 'epoch'> {
  if (place === undefined) return {}
  return place.epoch === undefined ? { serverOffset: place.offset } : { serverOffset: place.offset, epoch: place.epoch }
}
