/** The real wire: socket.io-client, which does the connecting, and the coming back with backoff and jitter. */

import { io, type Socket } from 'socket.io-client'

import type { Auth } from './contract'

export function socketOf(url: string, auth: () => Auth): Socket {
  return io(url, {
    autoConnect: false,
    // WebSocket at once, and polling where that is impossible.
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    // A function: Socket.IO asks it again at every attempt.
    auth: (give) => give({ ...auth() }),
  })
}

/** What the gateway has announced at the handshake. Engine.IO's client keeps it for itself; without it, no limit holds. */
export function maxPayload(socket: Socket | undefined): number | undefined {
  const { _maxPayload: bytes } = (socket?.io.engine ?? {}) as { _maxPayload?: unknown }
  return typeof bytes === 'number' && bytes > 0 ? bytes : undefined
}
