/** A Tidemark for tests: the test is the gateway, the log is an array. */

import {
  keyOf, RequestError,
  type ClientEvents, type ConnectionState, type Conversation, type Identity, type Message, type OutboxEntry, type Page,
  type PageRequest, type Tidemark,
} from '../tidemark'

export class FakeTidemark implements Tidemark {
  state: ConnectionState = { phase: 'offline', retrying: false }
  identity: Identity | undefined
  rooms = ['general']
  outbox: OutboxEntry[] = []
  keeps = true
  /** What the gateway's history answers from. */
  readonly log: Message[] = []
  readonly asked: PageRequest[] = []
  /** While set, nothing can be asked. */
  away = false
  readonly #reads = new Map<string, number>()
  readonly #listeners = new Map<string, ((value: never) => void)[]>()

  constructor(identity?: Identity) {
    this.identity = identity
  }

  on<E extends keyof ClientEvents>(name: E, listener: (value: ClientEvents[E]) => void): () => void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener])
    return () => {}
  }

  emit<E extends keyof ClientEvents>(name: E, value: ClientEvents[E]): void {
    for (const listener of this.#listeners.get(name) ?? []) (listener as (value: ClientEvents[E]) => void)(value)
  }

  enter(phase: ConnectionState['phase'], retrying = true, reason?: string): void {
    this.state = { phase, retrying, ...(reason === undefined ? {} : { reason }) }
    this.emit('state', this.state)
  }

  /** In the log, and sent to this client. */
  say(message: Message): void {
    this.log.push(message)
    this.emit('message', message)
  }

  readAt(conversation: Conversation): number | undefined {
    return this.#reads.get(keyOf(conversation))
  }

  read(conversation: Conversation, offset: number): void {
    if (offset <= (this.readAt(conversation) ?? -1)) return
    this.#reads.set(keyOf(conversation), offset)
    this.emit('read', { conversation, offset })
  }

  async history(conversation: Conversation, request: PageRequest = {}): Promise<Page> {
    this.asked.push(request)
    if (this.away) throw new RequestError('offline', 'there is no connection')
    const all = this.log.filter((message) => keyOf(message.conversation) === keyOf(conversation))
    const { before = Infinity, after, at, limit = 50 } = request
    if (after !== undefined) {
      const later = all.filter(({ offset }) => offset > after)
      return { messages: later.slice(0, limit), more: later.length > limit }
    }
    const earlier = all.filter((message) => message.offset < before && (at === undefined || (message.at ?? '') <= at))
    return { messages: earlier.slice(-limit), more: earlier.length > limit }
  }

  send(conversation: Conversation, content: string): OutboxEntry {
    const entry: OutboxEntry = { key: `k${this.outbox.length}`, conversation, content, typedAt: 0, state: 'pending', transmissions: 0 }
    this.outbox.push(entry)
    this.emit('outbox', entry)
    return entry
  }

  /** The gateway acks it. */
  store(entry: OutboxEntry, offset: number): void {
    entry.state = 'stored'
    entry.offset = offset
    this.outbox = this.outbox.filter((kept) => kept !== entry)
    this.emit('outbox', entry)
  }

  async join(room: string): Promise<void> {
    this.rooms = [...this.rooms, room]
    this.emit('following', { conversation: { room }, after: this.log.at(-1)?.offset ?? 0 })
  }

  async leave(room: string): Promise<void> {
    this.rooms = this.rooms.filter((kept) => kept !== room)
    this.emit('left', { room })
  }

  signIn(username: string): void {
    this.identity = { userID: 'me', username }
    this.emit('identity', this.identity)
  }

  async signOut(): Promise<void> {
    this.identity = undefined
    this.emit('identity', undefined)
  }

  connect(): void {}
  retryNow(): void {}
  close(): void {}
  retry(): void {}
  discard(): void {}
  typing(): void {}
}
