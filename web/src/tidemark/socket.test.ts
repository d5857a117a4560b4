/** The official client, as far as the library cannot take it as it is: against a gateway that speaks the protocol by hand. */

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { io, type Socket } from 'socket.io-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { socketOf } from './socket'
import { Token } from './token'

/** Packets of Engine.IO that hold one of Socket.IO. */
const connect = '40'
const event = '42'

/** Speaks Socket.IO over long polling, accepts everybody, and notes what comes. */
class Gateway {
  readonly #server: Server
  /** One list for each connection, of all packets that came over it. */
  readonly connections: string[][] = []
  readonly #accepted = new Set<string>()

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request).then((body) => response.end(body)))
  }

  async #answer(request: IncomingMessage): Promise<string> {
    const sid = new URL(request.url ?? '', 'http://gateway').searchParams.get('sid')
    if (sid === null) {
      const opened = { sid: `${this.connections.push([]) - 1}`, upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1e6 }
      return `0${JSON.stringify(opened)}`
    }
    const packets = this.connections[Number(sid)] ?? []
    if (request.method === 'GET') return this.#poll(sid, packets)
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    packets.push(...body.split('\x1e'))
    return 'ok'
  }

  /** The first poll is answered when the handshake has come, the second one never. */
  async #poll(sid: string, packets: readonly string[]): Promise<string> {
    if (this.#accepted.has(sid)) return new Promise(() => {})
    this.#accepted.add(sid)
    await vi.waitUntil(() => packets.some((packet) => packet.startsWith(connect)))
    return `${connect}{"sid":"s${sid}"}`
  }

  listen(): Promise<string> {
    return new Promise((listening) => this.#server.listen(0, '127.0.0.1', () => {
      listening(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`)
    }))
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

let gateway: Gateway
let url: string
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  gateway = new Gateway()
  url = await gateway.listen()
})
afterEach(() => {
  gateway.close()
  vi.useRealTimers()
})

/** Connects; sleeps for an hour; emits before it is known that the connection is gone; connects again; and emits. */
async function wakeUp(socket: Socket): Promise<{ buffered: number; sent: string[] }> {
  const connected = () => new Promise<void>((resolve) => socket.once('connect', resolve))
  socket.connect()
  await connected()
  vi.setSystemTime(Date.now() + 3_600_000)
  socket.emit('chat message', 'after the sleep', () => {})
  expect(socket.connected).toBe(true)
  socket.disconnect()
  const buffered = socket.sendBuffer.length
  socket.connect()
  await connected()
  socket.emit('chat message', 'after the reconnect')
  await expect.poll(() => gateway.connections[1]?.at(-1)).toContain('after the reconnect')
  socket.disconnect()
  return { buffered, sent: gateway.connections[1]?.filter((packet) => packet.startsWith(event)) ?? [] }
}

test('what is emitted over a connection that is gone without being known to be never goes out over the next one', async () => {
  const socket = socketOf(url, () => ({ rooms: [] }))
  socket.io.opts.transports = ['polling']
  expect(await wakeUp(socket)).toEqual({ buffered: 0, sent: ['42["chat message","after the reconnect"]'] })
})

test('the official client keeps such a packet for the next connection', async () => {
  const socket = io(url, { autoConnect: false, transports: ['polling'] })
  const { buffered, sent } = await wakeUp(socket)
  expect(buffered).toBe(1)
  expect(sent).toEqual(['420["chat message","after the sleep"]', '42["chat message","after the reconnect"]'])
})

test('a token that comes after its attempt was given up is not shown', async () => {
  const asked: ((token: string) => void)[] = []
  const socket = socketOf(url, () => ({ rooms: [] }), new Token(() => new Promise((give) => asked.push(give))))
  socket.io.opts.transports = ['polling']
  for (const attempt of [1, 2]) {
    socket.disconnect()
    socket.connect()
    await expect.poll(() => asked.length).toBe(attempt)
  }
  asked.forEach((give, attempt) => give(`token ${attempt}`))
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  const shown = gateway.connections.flat().filter((packet) => packet.startsWith(connect))
  expect(shown).toEqual(['40{"rooms":[],"token":"token 1"}'])
  socket.disconnect()
})
