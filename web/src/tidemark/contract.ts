/**
 * What a guest and the gateway say to each other: the names and shapes of the client contract.
 *
 * Types are promises, the wire is not: what arrives goes through parse.ts before it is given one of these types.
 */

/** Identifies one log. An offset means nothing in another epoch. Opaque: it is only compared and sent back. */
export type Epoch = string | number

/** The handshake's `auth`: from where to replay, and which log that offset counts. */
export interface Resume {
  serverOffset: number
  epoch?: Epoch
}

/** A message to the room, as the log has it. */
export interface ChatMessage {
  content: string
  /** Place in the log: a positive integer, unique and ascending, not gapless within a room. */
  offset: number
  /** UUIDv7. */
  id?: string
  /** RFC 3339, UTC, milliseconds. */
  at?: string
  from?: string
  username?: string
  /** The sender's key; only the sender's own sockets are given it. */
  clientOffset?: string
}

/** Ends a replay: everything up to `head` that this client may see has been sent. */
export interface Recovery {
  /** False: not everything that was missed could be given; `reason` says why. */
  recovered: boolean
  from: number
  head: number
  count: number
  epoch?: Epoch
  reason?: RecoveryReason | string
}

/**
 * `trimmed`: the log no longer holds some of what was missed. `epoch_changed` and `ahead_of_log`: the offset was not
 * one of this log, and the replay began at its beginning.
 */
export type RecoveryReason = 'trimmed' | 'epoch_changed' | 'ahead_of_log'

/** Everything at or below `offset` that this client may see has been sent. */
export interface Watermark {
  offset: number
}

/** The log holds the message. `duplicate`: it already did; `offset` is the original's. */
export interface Stored {
  ok: true
  offset: number
  id?: string
  duplicate?: boolean
}

/** The message will not be stored, however often it is sent; `rate_limited` alone may be sent again later. */
export interface Refused {
  ok: false
  error: Refusal
}

export interface Refusal {
  code: RefusalCode | string
  message: string
  /** Only with `rate_limited`. */
  retryAfterMs?: number
}

export type RefusalCode =
  | 'invalid_payload'
  | 'too_large'
  | 'rate_limited'
  | 'forbidden'
  | 'unknown_recipient'
  | 'key_conflict'

/** There is no ack for a temporary failure: the sender's own timeout makes it try again. */
export type Ack = Stored | Refused

/** Names on the wire. */
export const event = {
  chatMessage: 'chat message',
  recovery: 'recovery',
  watermark: 'watermark',
} as const
