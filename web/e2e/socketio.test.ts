/** The official client in Node.js, without a browser: each of its transports, and each form of `chat message`. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { describe, expect } from 'vitest'

import { expectAscending } from './chatpage'
import { test as base } from './fixtures'

type Options = Partial<ManagerOptions & SocketOptions>

/** A connected client and the `chat message` events it has had. */
interface Guest {
  socket: Socket
  received: [content: string, offset: number, more: Record<string, unknown>][]
  recovery: () => Record<string, unknown> | undefined
}

const test = base.extend<{ guest: (options: Options) => Promise<Guest> }>({
  guest: async ({ server }, use) => {
    const sockets: Socket[] = []
    await use(async (options) => {
      const guest = connect(server.url, options)
      sockets.push(guest.socket)
      await expect.poll(() => guest.recovery()).toBeDefined()
      return guest
    })
    for (const socket of sockets) socket.disconnect()
  },
})

function connect(url: string, options: Options): Guest {
  const socket = io(url, { forceNew: true, ...options })
  const received: Guest['received'] = []
  let recovery: Record<string, unknown> | undefined
  socket.on('chat message', (...args) => received.push(args as Guest['received'][number]))
  socket.on('recovery', (value) => (recovery = value))
  return { socket, received, recovery: () => recovery }
}

const contents = (guest: Guest) => guest.received.map(([content]) => content)
const transport = (guest: Guest) => guest.socket.io.engine.transport.name

const transports: [name: string, options: Options, endsWith: string][] = [
  ['WebSocket only', { transports: ['websocket'] }, 'websocket'],
  ['polling only', { transports: ['polling'] }, 'polling'],
  ['polling, then upgraded', {}, 'websocket'],
]

describe.each(transports)('%s', (_, options, endsWith) => {
  test('every form of chat message is stored, delivered to all and acked where asked', async ({ guest }) => {
    const [author, reader] = await Promise.all([guest(options), guest(options)])
    await expect.poll(() => transport(author)).toBe(endsWith)
    const { socket } = author
    const key = (n: number) => `${socket.id}-${n}`

    socket.emit('chat message', 'msg')
    const plain = await socket.emitWithAck('chat message', 'msg, ack')
    socket.emit('chat message', 'msg, key', key(0))
    const keyed = await socket.emitWithAck('chat message', 'msg, key, ack', key(1))
    const again = await socket.emitWithAck('chat message', 'msg, key, ack', key(1))
    const late = await socket.emitWithAck('chat message', 'msg, key', key(0))
    const last = await socket.emitWithAck('chat message', 'last')

    const expected = ['msg', 'msg, ack', 'msg, key', 'msg, key, ack', 'last']
    for (const client of [author, reader]) {
      await expect.poll(() => contents(client)).toEqual(expected)
      expectAscending(client.received.map(([, offset]) => offset))
    }
    const offsetOf = (content: string) => reader.received.find(([received]) => received === content)?.[1]
    expect(plain).toMatchObject({ ok: true, offset: offsetOf('msg, ack'), duplicate: false, id: expect.any(String) })
    expect(keyed).toMatchObject({ ok: true, offset: offsetOf('msg, key, ack'), duplicate: false })
    expect(again).toMatchObject({ ok: true, offset: offsetOf('msg, key, ack'), duplicate: true, id: keyed.id })
    expect(late).toMatchObject({ ok: true, offset: offsetOf('msg, key'), duplicate: true })
    expect(last).toMatchObject({ ok: true, offset: offsetOf('last') })
  })

  test('the sender alone is told its key', async ({ guest }) => {
    const [author, reader] = await Promise.all([guest(options), guest(options)])
    const key = `${author.socket.id}-0`
    await author.socket.emitWithAck('chat message', 'hello', key)
    await expect.poll(() => contents(author)).toEqual(['hello'])
    await expect.poll(() => contents(reader)).toEqual(['hello'])
    expect(author.received[0]![2]).toMatchObject({ id: expect.any(String), at: expect.any(String), clientOffset: key })
    expect(reader.received[0]![2]).not.toHaveProperty('clientOffset')
  })

  test('who comes back with an offset is given what came after it, and told so', async ({ guest }) => {
    const author = await guest(options)
    const acks = []
    for (const content of ['one', 'two', 'three']) acks.push(await author.socket.emitWithAck('chat message', content))
    const back = await guest({ ...options, auth: { serverOffset: acks[0].offset } })
    expect(contents(back)).toEqual(['two', 'three'])
    expect(back.recovery()).toMatchObject({ recovered: true, from: acks[0].offset, count: 2, epoch: expect.anything() })
    expect(back.recovery()!.head).toBeGreaterThanOrEqual(acks[2].offset)
  })

  test('a permanent refusal is acked, and the connection lives on', async ({ guest }) => {
    const { socket } = await guest(options)
    for (const content of ['', 5, null, { text: 'x' }, ['x']]) {
      const ack = await socket.emitWithAck('chat message', content)
      expect(ack).toMatchObject({ ok: false, error: { code: 'invalid_payload', message: expect.any(String) } })
    }
    expect(await socket.emitWithAck('chat message', 'fine')).toMatchObject({ ok: true })
  })
})

test('a client with retries gets its queue stored across a kill -9, each message once', async ({ server, guest }) => {
  const options: Options = { retries: 3, ackTimeout: 10_000, reconnectionDelay: 100, reconnectionDelayMax: 300 }
  const [author, reader] = await Promise.all([guest(options), guest({})])
  author.socket.on('chat message', (_, offset) => (author.socket.auth = { serverOffset: offset }))
  const { id } = author.socket
  const texts = Array.from({ length: 30 }, (_, n) => `message ${n}`)
  for (const [n, text] of texts.entries()) author.socket.emit('chat message', text, `${id}-${n}`)
  await expect.poll(() => contents(reader).length).toBeGreaterThan(0)
  await server.kill()
  await server.start()
  await expect.poll(() => contents(author)).toEqual(texts)
  const witness = await guest({})
  expect(contents(witness)).toEqual(texts)
})

test('the gateway serves the official client as it was published, with an ETag', async ({ server }) => {
  const dist = join(dirname(createRequire(import.meta.url).resolve('socket.io-client/package.json')), 'dist')
  for (const name of ['socket.io.js', 'socket.io.min.js', 'socket.io.js.map']) {
    const url = `${server.url}/socket.io/${name}`
    const response = await fetch(url)
    expect(response.status, name).toBe(200)
    expect(await response.text()).toBe(readFileSync(join(dist, name), 'utf8'))
    const etag = response.headers.get('etag')
    expect(etag).toBeTruthy()
    const again = await fetch(url, { headers: { 'If-None-Match': etag! } })
    expect(again.status).toBe(304)
  }
})
