/** The official client in Node.js, which keeps what it hears. */

import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { expect } from 'vitest'

import { test as base } from './fixtures'

export type Options = Partial<ManagerOptions & SocketOptions>
/** What a server sends or answers: these tests say what it must look like. */
export type Json = Record<string, any>

export class Client {
  readonly socket: Socket
  /** Every event in the order in which they came. */
  readonly heard: [name: string, ...args: any[]][] = []

  constructor(url: string, options: Options) {
    this.socket = io(url, { forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 300, ...options })
    this.socket.onAny((name, ...args) => this.heard.push([name, ...args]))
    // As pages do, so that it comes back as the same user.
    this.socket.on('session', ({ sessionID }) => (this.socket.auth = { ...options.auth, sessionID }))
  }

  /** The first arguments of all events of this name. */
  all(name: string): Json[] {
    return this.heard.filter(([heard]) => heard === name).map(([, first]) => first)
  }

  /** The first argument of the last event of this name. */
  last(name: string): Json | undefined {
    return this.all(name).at(-1)
  }

  /** Everything it was sent is then there: the replay, and what comes with each connection. */
  async ready(): Promise<this> {
    await expect.poll(() => this.last('recovery')).toBeDefined()
    return this
  }

  ask(name: string, ...args: unknown[]): Promise<Json> {
    return this.socket.timeout(10_000).emitWithAck(name, ...args)
  }

  get userID(): string {
    return this.last('session')!.userID
  }

  get sessionID(): string {
    return this.last('session')!.sessionID
  }

  /** Rooms' and direct messages, in the order in which they came. */
  get messages(): Json[] {
    return this.heard.filter(([name]) => name === 'room message' || name === 'private message').map(([, message]) => message)
  }

  get contents(): string[] {
    return this.messages.map(({ content }) => content)
  }
}

export const test = base.extend<{ client: (auth?: Json, options?: Options) => Promise<Client> }>({
  client: async ({ server }, use) => {
    const clients: Client[] = []
    await use(async (auth = {}, options = {}) => {
      const client = new Client(server.url, { auth, ...options })
      clients.push(client)
      return client.ready()
    })
    for (const { socket } of clients) socket.disconnect()
  },
})

/** The ack of a message that is new. */
export const stored = { ok: true, duplicate: false, offset: expect.any(Number), id: expect.any(String) }

/** Says these in the room or to a user, one after another, and returns their offsets. */
export async function say(author: Client, where: { room: string } | { to: string }, ...contents: string[]): Promise<number[]> {
  const offsets: number[] = []
  for (const content of contents) {
    const ack = await author.ask('room' in where ? 'room message' : 'private message', { ...where, content })
    expect(ack).toEqual(stored)
    offsets.push(ack.offset)
  }
  return offsets
}
