/** Whether there is a connection: what Socket.IO says of it, as one of four phases. Socket.IO does the coming back. */

import type { ConnectionState } from './tidemark'
import type { Wire } from './wire'

export interface ConnectionOptions {
  changed: (state: ConnectionState) => void
  connected: () => void
  /** Told at each loss, and before attempts end. */
  lost: () => void
  /** The gateway has turned the handshake away for good; true: it is worth another attempt, with another handshake. */
  turnedAway: (reason: string) => boolean
}

export class Connection {
  readonly #wire: Wire
  readonly #options: ConnectionOptions
  #state: ConnectionState = { phase: 'offline', retrying: false }

  constructor(wire: Wire, options: ConnectionOptions) {
    this.#wire = wire
    this.#options = options
    wire.on('connect', () => {
      this.#enter({ phase: 'catching up', retrying: true })
      options.connected()
    })
    wire.on('disconnect', (reason) => {
      if (reason === 'io client disconnect') return // close() says the rest
      options.lost()
      this.#enter(wire.active ? { phase: 'connecting', retrying: true } : { phase: 'offline', retrying: false, reason })
    })
    wire.on('connect_error', ({ message }) => {
      options.lost()
      if (wire.active) return this.#enter({ phase: 'offline', retrying: true, reason: message })
      if (options.turnedAway(message)) return this.open()
      this.#enter({ phase: 'offline', retrying: false, reason: message })
    })
  }

  get state(): ConnectionState {
    return this.#state
  }

  open(): void {
    this.#enter({ phase: 'connecting', retrying: true })
    this.#wire.connect()
  }

  /** The replay has ended. */
  live(): void {
    if (this.#wire.connected) this.#enter({ phase: 'live', retrying: true })
  }

  /** Attempts that wait for their turn, or hang, are given up for one that begins now. */
  retryNow(): void {
    if (this.#wire.connected) return
    this.#wire.disconnect()
    this.open()
  }

  close(): void {
    this.#wire.disconnect()
    this.#options.lost()
    this.#enter({ phase: 'offline', retrying: false })
  }

  #enter(state: ConnectionState): void {
    const { phase, retrying, reason } = this.#state
    if (state.phase === phase && state.retrying === retrying && state.reason === reason) return
    this.#state = state
    this.#options.changed(state)
  }
}
