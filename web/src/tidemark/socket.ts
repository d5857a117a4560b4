/** The real wire: socket.io-client, which does the connecting, and the coming back with backoff and jitter. */

import { io, type Socket } from 'socket.io-client'

import type { Auth } from './contract'
import type { Token } from './token'

export function socketOf(url: string, auth: () => Auth, token?: Token): Socket {
  let attempt = 0
  const socket = io(url, {
    autoConnect: false,
    // WebSocket at once, and polling where that is impossible.
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    // A function: Socket.IO asks it again at every attempt.
    auth: (give) => {
      forgetUnsent(socket)
      if (token === undefined) return give({ ...auth() })
      const mine = ++attempt
      const shown = (value: string) => {
        if (mine === attempt) give({ ...auth(), token: value }) // otherwise the connection that asked is gone
      }
      // Without a token there is no handshake: the gateway ends the connection after a few seconds, and Socket.IO tries again.
      token.next().then(shown, () => undefined)
    },
  })
  socket.on('disconnect', () => forgetUnsent(socket))
  socket.io.on('close', () => void attempt++)
  return socket
}

/**
 * Empties Socket.IO's own buffer. socket.io-client 4.8.4 puts into it what is emitted while `connected` is still true
 * but no ping has come in time, as on a computer that has slept, and sends it over the next connection, before
 * `connect`: whoever that one belongs to, and though the outbox sends it as well. No longer needed when the test "the
 * official client keeps such a packet" in socket.test.ts fails.
 */
function forgetUnsent(socket: Socket): void {
  socket.sendBuffer = []
}

/** What the gateway has announced at the handshake. Engine.IO's client keeps it for itself; without it, no limit holds. */
export function maxPayload(socket: Socket | undefined): number | undefined {
  const { _maxPayload: bytes } = (socket?.io.engine ?? {}) as { _maxPayload?: unknown }
  return typeof bytes === 'number' && bytes > 0 ? bytes : undefined
}
