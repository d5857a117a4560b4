/** A Wire for tests: the test is the gateway. */

import type { Resume } from './contract'
import type { Cursor } from './cursor'
import type { Wire } from './wire'

/** A transmission as the gateway sees it. */
export interface Transmission {
  content: string
  key: string
  answer: (reply: unknown) => void
}

export class FakeWire implements Wire {
  connected = false
  id: string | undefined
  active = false
  readonly sent: Transmission[] = []
  /** What each handshake said. */
  readonly resumes: Resume[] = []
  readonly #cursor: Cursor
  readonly #listeners = new Map<string, ((...args: never[]) => void)[]>()

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  connect(): void {
    this.active = true
  }

  disconnect(): void {
    this.active = false
    if (this.connected) this.lose('io client disconnect')
  }

  on(name: string, listener: (...args: never[]) => void): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener])
  }

  emit(name: string, ...args: unknown[]): void {
    if (!this.connected) throw new Error('emitted while disconnected')
    if (name !== 'chat message') throw new Error(`emitted ${name}`)
    const [content, key, answer] = args as [string, string, (reply: unknown) => void]
    this.sent.push({ content, key, answer })
  }

  /** The gateway accepts the handshake. */
  accept(id: string): void {
    this.connected = true
    this.id = id
    this.resumes.push(this.#cursor.resume())
    this.receive('connect')
  }

  lose(reason = 'transport close'): void {
    this.connected = false
    this.id = undefined
    if (reason === 'io server disconnect') this.active = false
    this.receive('disconnect', reason)
  }

  receive(name: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(name) ?? []) (listener as (...args: unknown[]) => void)(...args)
  }

  messages(...offsets: number[]): void {
    for (const offset of offsets) this.receive('chat message', `m${offset}`, offset, {})
  }

  recover(head: number, more: Record<string, unknown> = {}): void {
    this.receive('recovery', { recovered: true, from: 0, head, count: 0, epoch: 'e1', ...more })
  }
}
