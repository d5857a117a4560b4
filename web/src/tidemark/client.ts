/** One guest's conversation with the gateway: the state of the connection, what was said, and what is being said. */

import * as parse from './parse'
import { event, type Ack, type ChatMessage } from './contract'
import { Cursor } from './cursor'
import { Emitter } from './emitter'
import { Outbox, type OutboxEntry } from './outbox'
import type { Wire } from './wire'

/**
 *   connecting ──▶ catching up ──▶ live          connecting: from the start, or since a connection was lost
 *      │  ▲             │           │            offline: an attempt has failed; further ones follow by themselves,
 *      ▼  └─────────────┴───────────┘                     unless `retrying` is false
 *   offline ──▶ catching up                      catching up: connected, being given what was missed
 */
export type Phase = 'connecting' | 'catching up' | 'live' | 'offline'

export interface ConnectionState {
  phase: Phase
  /** False: the gateway has turned this client away for `reason`, or connect() has not been called. */
  retrying: boolean
  reason?: string
}

/** What was missed cannot be had in full. `reset`: all that was shown before is no longer true. */
export interface Discontinuity {
  reset: boolean
  reason: string
}

export interface ClientEvents {
  state: ConnectionState
  /** Each message once; offsets ascend, but for a `discontinuity` with `reset`. */
  message: ChatMessage
  /** Comes before the messages of the replay that it is about only if it says `reset`. */
  discontinuity: Discontinuity
  /** A message of ours is new, or fares otherwise than before. */
  outbox: OutboxEntry
}

export interface ClientOptions {
  ackTimeoutMs?: number
  /** The longest packet that the gateway takes without closing the connection; undefined where it is not known. */
  maxPacketBytes?: () => number | undefined
  /** Given so that the wire's `auth` can ask it at each handshake. */
  cursor?: Cursor
}

/**
 * Content above the gateway's limit is refused by the gateway. A packet so long that the connection is closed for it
 * would be sent again after each reconnect, and hold up what follows for ever: it is refused here.
 */
const tooLarge: Ack = { ok: false, error: { code: 'too_large', message: 'longer than a packet may be' } }

/** Room for what Socket.IO puts before the arguments: packet types, and the number of the ack. */
const packetHeadBytes = 24

function packetBytes(...args: string[]): number {
  return packetHeadBytes + new TextEncoder().encode(JSON.stringify([event.chatMessage, ...args])).length
}

export class Client {
  readonly #wire: Wire
  readonly #cursor: Cursor
  readonly #outbox: Outbox
  readonly #events = new Emitter<ClientEvents>()
  #state: ConnectionState = { phase: 'offline', retrying: false }

  constructor(wire: Wire, { ackTimeoutMs = 10_000, cursor = new Cursor(), maxPacketBytes }: ClientOptions = {}) {
    this.#wire = wire
    this.#cursor = cursor
    this.#outbox = new Outbox({
      ackTimeoutMs,
      changed: (entry) => this.#events.emit('outbox', entry),
      transmit: (content, key, answer) => {
        if (packetBytes(content, key) > (maxPacketBytes?.() ?? Infinity)) return answer(tooLarge)
        wire.emit(event.chatMessage, content, key, (reply: unknown) => answer(parse.ack(reply)))
      },
    })
    this.#listenToConnection()
    this.#listenToLog()
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Returns the function that removes the listener again. */
  on<E extends keyof ClientEvents>(name: E, listener: (value: ClientEvents[E]) => void): () => void {
    return this.#events.on(name, listener)
  }

  connect(): void {
    this.#enter({ phase: 'connecting', retrying: true })
    this.#wire.connect()
  }

  close(): void {
    this.#wire.disconnect()
    this.#lost({ phase: 'offline', retrying: false })
  }

  /** Says `content` to the room, now or as soon as possible; `outbox` events tell what becomes of it. */
  send(content: string): OutboxEntry {
    return this.#outbox.add(content)
  }

  #listenToConnection(): void {
    this.#wire.on('connect', () => {
      this.#cursor.connected()
      this.#enter({ phase: 'catching up', retrying: true })
      if (this.#wire.id !== undefined) this.#outbox.connected(this.#wire.id)
    })
    this.#wire.on('disconnect', (reason) => {
      if (reason === 'io client disconnect') return // close() says the rest
      const retrying = this.#wire.active
      this.#lost(retrying ? { phase: 'connecting', retrying } : { phase: 'offline', retrying, reason })
    })
    this.#wire.on('connect_error', (error) => {
      this.#lost({ phase: 'offline', retrying: this.#wire.active, reason: error.message })
    })
  }

  #listenToLog(): void {
    this.#wire.on('chat message', (...args) => {
      const message = parse.chatMessage(args)
      if (message === undefined) return
      if (this.#cursor.message(message)) this.#deliver(message)
    })
    this.#wire.on('recovery', (value) => {
      const recovery = parse.recovery(value)
      if (recovery === undefined) return
      const { reset, messages } = this.#cursor.recovered(recovery)
      if (reset || !recovery.recovered) {
        this.#events.emit('discontinuity', { reset, reason: recovery.reason ?? 'unknown' })
      }
      for (const message of messages) this.#deliver(message)
      this.#enter({ phase: 'live', retrying: true })
    })
    this.#wire.on('watermark', (value) => {
      const watermark = parse.watermark(value)
      if (watermark !== undefined) this.#cursor.watermark(watermark.offset)
    })
  }

  #deliver(message: ChatMessage): void {
    if (message.clientOffset !== undefined) this.#outbox.seen(message.clientOffset, message.offset)
    this.#events.emit('message', message)
  }

  #lost(state: ConnectionState): void {
    this.#outbox.disconnected()
    this.#enter(state)
  }

  #enter(state: ConnectionState): void {
    const { phase, retrying, reason } = this.#state
    if (state.phase === phase && state.retrying === retrying && state.reason === reason) return
    this.#state = state
    this.#events.emit('state', state)
  }
}
