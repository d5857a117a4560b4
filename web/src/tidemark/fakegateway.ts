/**
 * A gateway for tests, as the contract describes one: it stores by key, replays after an offset, and sends a direct
 * message to all connections but the one that it came over. Nothing happens by itself: `up` takes in the next thing that
 * a connection has emitted, and `down` hands it the next one that is due.
 */

import type { Auth } from './contract'
import type { Emitted, FakeWire } from './fakewire'

export interface LogEvent {
  offset: number
  room?: string
  to?: string
  from: string
  content: string
  key: string
}

interface Connection {
  wire: FakeWire
  userID: string
  /** Each with the offset after which its messages are sent. */
  rooms: Map<string, number>
  /** Everything up to it has been sent. */
  sent: number
  readonly from: number
  recovered: boolean
  /** Direct messages that came over this connection. */
  own: Set<number>
  acks: (() => void)[]
  taken: number
}

/** What becomes of a message that a client sends. */
export type Fate = 'stored' | 'rate_limited' | 'unanswered' | 'stored, unanswered'

export class FakeGateway {
  readonly log: LogEvent[] = []
  /** Decides on each message as it is taken in. */
  fate: () => Fate = () => 'stored'
  readonly #connections = new Map<FakeWire, Connection>()
  readonly #users = new Map<string, string>()

  get head(): number {
    return this.log.at(-1)?.offset ?? 0
  }

  append(event: Omit<LogEvent, 'offset'>): LogEvent {
    const stored = { offset: this.head + 1 + (this.log.length % 3), ...event } // offsets have gaps
    this.log.push(stored)
    return stored
  }

  accept(wire: FakeWire): void {
    const auth = wire.handshake()
    const userID = this.#userOf(auth)
    const begin = auth.serverOffset ?? this.head
    const rooms = new Map(auth.rooms.map((room) => [room, 0]))
    this.#connections.set(wire, {
      wire, userID, rooms, from: begin, sent: begin, recovered: false, own: new Set(), acks: [], taken: wire.emitted.length,
    })
    wire.accept(true)
    wire.receive('session', { sessionID: `secret of ${userID}`, userID })
  }

  lose(wire: FakeWire): void {
    if (this.#connections.delete(wire) && wire.connected) wire.lose()
  }

  /** False: there is nothing to take in. */
  up(wire: FakeWire): boolean {
    const connection = this.#connections.get(wire)
    const emitted = wire.emitted[connection?.taken ?? Infinity]
    if (connection === undefined || emitted === undefined) return false
    connection.taken++
    this.#take(connection, emitted)
    return true
  }

  /** False: the connection has everything. */
  down(wire: FakeWire, ackFirst = true): boolean {
    const connection = this.#connections.get(wire)
    if (connection === undefined) return false
    const ack = ackFirst ? connection.acks.shift() : undefined
    if (ack !== undefined) {
      ack()
      return true
    }
    if (this.#send(connection)) return true
    const late = connection.acks.shift()
    late?.()
    return late !== undefined
  }

  /** Whether this user, in these rooms, may see the event. */
  static isFor(event: LogEvent, userID: string, rooms: readonly string[]): boolean {
    return event.room === undefined ? event.from === userID || event.to === userID : rooms.includes(event.room)
  }

  #userOf({ sessionID, username }: Auth): string {
    if (sessionID !== undefined) return sessionID.slice('secret of '.length)
    const userID = `u${this.#users.size + 1}`
    this.#users.set(userID, username ?? '')
    return userID
  }

  #take(connection: Connection, { name, args, answer }: Emitted): void {
    const reply = (value: unknown) => connection.acks.push(() => answer(value))
    const [first, second] = args
    const fields = first as { room: string; to: string; content: string; clientOffset: string }
    if (name === 'chat message') return this.#store(connection, { room: 'general', content: String(first), key: String(second) }, reply)
    const { room, to, content, clientOffset: key } = fields
    if (name === 'room message') return this.#store(connection, { room, content, key }, reply)
    if (name === 'private message') return this.#store(connection, { to, content, key }, reply)
    if (name === 'room join') {
      const head = this.head
      connection.rooms.set(room, head)
      answer({ ok: true, room, head }) // at once: the ack comes before anything of the room does
    }
    if (name === 'room leave') {
      connection.rooms.delete(room)
      reply({ ok: true, room })
    }
  }

  #store(connection: Connection, sent: Omit<LogEvent, 'offset' | 'from'>, reply: (value: unknown) => void): void {
    const fate = this.fate()
    if (fate === 'rate_limited') {
      return reply({ ok: false, error: { code: 'rate_limited', message: 'slow down', retryAfterMs: 200 } })
    }
    if (fate === 'unanswered') return
    const original = this.log.find(({ key, from }) => key === sent.key && from === connection.userID)
    const stored = original ?? this.append({ ...sent, from: connection.userID })
    if (original === undefined && stored.to !== undefined) connection.own.add(stored.offset)
    if (fate === 'stored, unanswered') return
    reply({ ok: true, offset: stored.offset, id: 'x', duplicate: original !== undefined })
  }

  #send(connection: Connection): boolean {
    const next = this.log.find(({ offset }) => offset > connection.sent)
    if (next === undefined) return this.#recover(connection)
    connection.sent = next.offset
    const { room, to, content, from, offset, key } = next
    if (room === undefined ? connection.own.has(offset) : offset <= (connection.rooms.get(room) ?? Infinity)) return true
    if (!FakeGateway.isFor(next, connection.userID, [...connection.rooms.keys()])) return true
    const more = { from, offset, ...(from === connection.userID ? { clientOffset: key } : {}) }
    if (room === 'general') connection.wire.receive('chat message', content, offset, more)
    else if (room !== undefined) connection.wire.receive('room message', { room, content, ...more })
    else connection.wire.receive('private message', { content, to, ...more })
    return true
  }

  #recover(connection: Connection): boolean {
    if (connection.recovered) return false
    connection.recovered = true
    connection.wire.receive('recovery', { recovered: true, from: connection.from, head: connection.sent, count: 0, epoch: 'e1' })
    return true
  }
}
