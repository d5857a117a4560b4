/**
 * The part of socket.io-client's Socket that the library stands on; tests put a fake in its place.
 *
 * What is emitted while disconnected is lost, without an ack. Nothing here does so knowingly; but `connected` may be
 * true for a moment longer than the connection lives.
 */
export interface Wire {
  readonly connected: boolean
  /** Whether it connects again by itself. */
  readonly active: boolean
  connect(): unknown
  /** Also ends attempts to connect. */
  disconnect(): unknown
  on(name: 'connect', listener: () => void): unknown
  on(name: 'disconnect', listener: (reason: string) => void): unknown
  on(name: 'connect_error', listener: (error: Error) => void): unknown
  on(name: GatewayEvent, listener: (...args: unknown[]) => void): unknown
  /** A last argument that is a function is called with the ack: late, or never. */
  emit(name: string, ...args: unknown[]): unknown
}

/** What the gateway sends and this library listens to. */
export type GatewayEvent =
  | 'session'
  | 'users'
  | 'user connected'
  | 'user disconnected'
  | 'chat message'
  | 'room message'
  | 'private message'
  | 'typing'
  | 'stop typing'
  | 'replay'
  | 'recovery'
  | 'watermark'
