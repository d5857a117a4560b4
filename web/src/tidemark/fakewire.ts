/** A Wire for tests: the test is the gateway. */

import type { Auth } from './contract'
import type { Wire } from './wire'

/** What the client has emitted, as the gateway sees it. */
export interface Emitted {
  name: string
  args: unknown[]
  /** Sends the ack, if one is asked for. */
  answer: (reply: unknown) => void
}

export class FakeWire implements Wire {
  connected = false
  active = false
  readonly emitted: Emitted[] = []
  /** What each handshake said. */
  readonly auths: Auth[] = []
  /** Told of each call of connect() and of each thing emitted: a test's gateway. */
  onConnect: () => void = () => {}
  onDisconnect: () => void = () => {}
  onEmit: (emitted: Emitted) => void = () => {}
  readonly #auth: () => Auth
  readonly #listeners = new Map<string, ((...args: never[]) => void)[]>()

  constructor(auth: () => Auth) {
    this.#auth = auth
  }

  connect(): void {
    this.active = true
    this.onConnect()
  }

  disconnect(): void {
    this.active = false
    this.onDisconnect()
    if (this.connected) this.#end('io client disconnect')
  }

  on(name: string, listener: (...args: never[]) => void): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener])
  }

  emit(name: string, ...args: unknown[]): void {
    if (!this.connected) throw new Error(`emitted ${name} while disconnected`)
    const ack = args.at(-1)
    const answer = typeof ack === 'function' ? (ack as (reply: unknown) => void) : () => {}
    const emitted = { name, args: typeof ack === 'function' ? args.slice(0, -1) : args, answer }
    this.emitted.push(emitted)
    this.onEmit(emitted)
  }

  /** Those of one name. */
  sent(name: string): Emitted[] {
    return this.emitted.filter((emitted) => emitted.name === name)
  }

  /** Begins an attempt: the handshake is sent, and not answered yet. */
  handshake(): Auth {
    const auth = this.#auth()
    this.auths.push(auth)
    return auth
  }

  /** The gateway accepts the handshake; without one under way, there is one first. */
  accept(handshaken = false): void {
    if (!handshaken) this.handshake()
    this.connected = true
    this.active = true
    this.receive('connect')
  }

  /** The gateway turns the handshake away for good. */
  turnAway(message: string): void {
    this.handshake()
    this.active = false
    this.receive('connect_error', new Error(message))
  }

  /** An attempt fails; others follow. */
  fail(message = 'websocket error'): void {
    this.receive('connect_error', new Error(message))
  }

  lose(reason = 'transport close'): void {
    if (reason === 'io server disconnect') this.active = false
    this.#end(reason)
  }

  receive(name: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(name) ?? []) (listener as (...args: unknown[]) => void)(...args)
  }

  greet(userID = 'me', sessionID = `secret of ${userID}`): void {
    this.receive('session', { sessionID, userID })
  }

  /** Messages of others to general. */
  messages(...offsets: number[]): void {
    for (const offset of offsets) this.receive('chat message', `m${offset}`, offset, {})
  }

  recover(head: number, more: Record<string, unknown> = {}): void {
    this.receive('recovery', { recovered: true, from: 0, head, count: 0, epoch: 'e1', ...more })
  }

  #end(reason: string): void {
    this.connected = false
    this.receive('disconnect', reason)
  }
}
