/**
 * A Tidemark client without any user interface: messages of the room each once and in the log's order, through lost
 * connections and restarts of the gateway, and messages of one's own sent once and only once.
 *
 *   const client = open()
 *   client.on('message', ({ content, offset }) => ...)
 *   client.on('state', ({ phase }) => ...)
 *   client.connect()
 *   client.send('hello')
 *
 *   contract.ts   what is said on the wire        cursor.ts   what is new, and where to resume
 *   parse.ts      what may be believed of it      outbox.ts   what is not stored yet
 *   wire.ts       what is needed of Socket.IO     client.ts   the three together
 */

import { io, type Socket } from 'socket.io-client'

import { Client, type ClientOptions } from './client'
import { Cursor } from './cursor'

export type { ChatMessage, Refusal } from './contract'
export { Client, type ClientEvents, type ConnectionState, type Discontinuity, type Phase } from './client'
export type { OutboxEntry } from './outbox'

/** A client of the gateway at `url`, by default the one that served the page; call connect() once it is listened to. */
export function open(url = '', options: Pick<ClientOptions, 'ackTimeoutMs'> = {}): Client {
  const cursor = new Cursor()
  const socket = io(url, {
    autoConnect: false,
    // WebSocket at once, and polling where that is impossible.
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    // A function: Socket.IO asks it again at every attempt.
    auth: (give) => give({ ...cursor.resume() }),
  })
  return new Client(socket, { ...options, cursor, maxPacketBytes: () => maxPayload(socket) })
}

/** What the gateway has announced at the handshake. Engine.IO's client keeps it for itself; without it, no limit holds. */
function maxPayload(socket: Socket): number | undefined {
  const { _maxPayload: bytes } = socket.io.engine as unknown as { _maxPayload?: unknown }
  return typeof bytes === 'number' && bytes > 0 ? bytes : undefined
}
