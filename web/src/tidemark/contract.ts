/**
 * What a user's client and the gateway say to each other: the names and shapes of the client contract.
 *
 * Types are promises, the wire is not: what arrives goes through parse.ts before it is given one of these types.
 */

/** Identifies one log. An offset means nothing in another epoch. Opaque: it is only compared and sent back. */
export type Epoch = string | number

/** Where something is said: a room by its name, or the other user of a direct conversation by the userID. */
export type Conversation = { readonly room: string } | { readonly user: string }

/** The room that everybody may be in, and that official front-ends know no name for. */
export const general: Conversation = { room: 'general' }

/** One string for a conversation, for maps: `room/general`, `user/<userID>`. */
export type ConversationKey = `room/${string}` | `user/${string}`

export function keyOf(conversation: Conversation): ConversationKey {
  return 'room' in conversation ? `room/${conversation.room}` : `user/${conversation.user}`
}

export function conversationOf(key: ConversationKey): Conversation {
  const name = key.slice('room/'.length) // both prefixes are of this length
  return key.startsWith('room/') ? { room: name } : { user: name }
}

/** A message, as the log has it. */
export interface Message {
  conversation: Conversation
  /** Place in the log: a positive integer, unique and ascending, not gapless within a conversation. */
  offset: number
  content: string
  /** UUIDv7. */
  id?: string
  /** When the log stored it: RFC 3339, UTC, milliseconds. */
  at?: string
  /** The sender's userID; guests have none. */
  from?: string
  /** The sender's name; guests may have none. */
  username?: string
  /** The sender's idempotency key; only the sender's own sockets are given it. */
  clientOffset?: string
}

/** Ends a replay: everything up to `head` that this client may see has been sent. */
export interface Recovery {
  /** False: the client could not simply go on where it was; `reason` says why. */
  recovered: boolean
  /** The replay began after this offset. */
  from: number
  head: number
  /** How many messages it sent. */
  count: number
  epoch?: Epoch
  reason?: RecoveryReason | string
}

/**
 * `trimmed`: the log no longer holds some of what was missed. `epoch_changed` and `ahead_of_log`: the offset was not
 * one of this log, and the replay began at its beginning.
 */
export type RecoveryReason = 'trimmed' | 'epoch_changed' | 'ahead_of_log'

/** Begins a long replay: it will go from after `from` to `head`, or a little further. */
export interface Replay {
  from: number
  head: number
}

/** Everything at or below `offset` that this client may see has been sent. */
export interface Watermark {
  offset: number
}

/**
 * First event of a user's connection. `sessionID` is the user's secret, empty for who has connected with a token; `userID` is
 * public.
 */
export interface Session {
  sessionID: string
  userID: string
  username?: string
}

export interface Person {
  userID: string
  /** Not unique. */
  username: string
  connected: boolean
}

/** A person, with the latest messages exchanged with them, oldest first: without id, time and key. */
export interface PersonWithMessages extends Person {
  messages: Message[]
}

export interface Typing {
  conversation: Conversation
  username: string
  userID?: string
  typing: boolean
}

/** Which page of a conversation's history: at most one of `before`, `after` and `at`; by default the newest. */
export interface PageRequest {
  /** The newest messages before this offset. */
  before?: number
  /** The oldest messages after this offset. */
  after?: number
  /** The newest messages up to this time (RFC 3339). */
  at?: string
  /** 1 to 100; the gateway's default is 50. A page may hold fewer. */
  limit?: number
}

export interface Page {
  /** In ascending offset. */
  messages: Message[]
  /** Whether there are further ones beyond the page: newer ones if it was asked for with `after`, else older ones. */
  more: boolean
}

/** The log holds the message. `duplicate`: an earlier sending had stored it; `offset` is the original's. */
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

/** The handshake's `auth`: a new user by `username`, a known one by `sessionID` or `token`; and from where to replay. */
export interface Auth {
  token?: string
  username?: string
  sessionID?: string
  rooms: readonly string[]
  /** Absent: from now on. */
  serverOffset?: number
  epoch?: Epoch
}
