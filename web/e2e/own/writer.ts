/** Messages in any number, through the product, as fast as it goes: the official client in Node.js. */

import { io, type Socket } from 'socket.io-client'

export interface Written {
  offset: number
  content: string
  /** Name of the author. */
  author: string
}

export interface Order {
  authors: string[]
  count: number
  /** By default general. */
  room?: string
  /** By default `message 1`, `message 2`, ... */
  text?: (index: number) => string
}

/** So many are on their way at a time. */
const window = 250

/** The authors, new users each, take turns. Returns the messages in the order of the log. */
export async function write(url: string, order: Order): Promise<Written[]> {
  const room = order.room ?? 'general'
  const sockets = await Promise.all(order.authors.map((username) => connected(url, { username, rooms: [room] })))
  const text = order.text ?? ((index: number) => `message ${index + 1}`)
  const written: Written[] = []
  try {
    for (let from = 0; from < order.count; from += window) {
      const indices = Array.from({ length: Math.min(window, order.count - from) }, (_, index) => from + index)
      written.push(...(await Promise.all(indices.map(async (index) => {
        const turn = index % sockets.length
        const content = text(index)
        const offset = await say(sockets[turn], 'room message', { room, content })
        return { offset, content, author: order.authors[turn] ?? '' }
      }))))
    }
  } finally {
    sockets.forEach((socket) => socket.disconnect())
  }
  return written.sort((a, b) => a.offset - b.offset)
}

/** One new user says these to another one. */
export async function writeTo(url: string, author: string, to: string, contents: string[]): Promise<void> {
  const socket = await connected(url, { username: author })
  for (const content of contents) await say(socket, 'private message', { to, content })
  socket.disconnect()
}

export async function connected(url: string, auth: object): Promise<Socket> {
  const socket = io(url, { forceNew: true, transports: ['websocket'], auth })
  await new Promise<void>((resolve, reject) => {
    socket.once('recovery', () => resolve())
    socket.once('connect_error', reject)
  })
  return socket
}

export async function say(socket: Socket | undefined, event: string, message: object): Promise<number> {
  const ack = await socket?.timeout(20_000).emitWithAck(event, message)
  if (ack?.ok !== true) throw new Error(`refused: ${JSON.stringify(ack)}`)
  return ack.offset
}
