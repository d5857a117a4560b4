/**
 * The part of socket.io-client's Socket that the library stands on; tests put a fake in its place.
 *
 * Emitting while disconnected would queue in Socket.IO's own buffer, out of the outbox's sight: nothing here does.
 */
export interface Wire {
  readonly connected: boolean
  /** The Socket.IO id: a new one for each connection, undefined between them. */
  readonly id?: string | undefined
  /** Whether it connects again by itself. */
  readonly active: boolean
  connect(): unknown
  disconnect(): unknown
  on(name: 'connect', listener: () => void): unknown
  on(name: 'disconnect', listener: (reason: string) => void): unknown
  on(name: 'connect_error', listener: (error: Error) => void): unknown
  on(name: 'chat message' | 'recovery' | 'watermark', listener: (...args: unknown[]) => void): unknown
  emit(name: string, ...args: unknown[]): unknown
}
