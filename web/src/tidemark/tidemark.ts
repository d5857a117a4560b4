/** What the library does for a page, and what it tells: the types of its public side. */

import type { Conversation, Message, Page, PageRequest, Person, PersonWithMessages, Typing } from './contract'
import type { OutboxEntry } from './entry'

/**
 *   connecting ──▶ catching up ──▶ live          connecting: from the start, or since a connection was lost
 *      │  ▲             │           │            offline: an attempt has failed; further ones follow by themselves,
 *      ▼  └─────────────┴───────────┘                     unless `retrying` is false
 *   offline ──▶ catching up                      catching up: connected, being given what was missed
 */
export type Phase = 'connecting' | 'catching up' | 'live' | 'offline'

export interface ConnectionState {
  phase: Phase
  /** False: the gateway has turned this client away for `reason`, or there is nobody to connect as. */
  retrying: boolean
  reason?: string
}

/** How far catching up has come. All are offsets of the log but `count`, which is messages. */
export interface Progress {
  /** Where the replay began, and where it will end as far as is known; `head` is missing for short ones. */
  from: number
  head?: number
  /** Up to here everything has come. */
  offset: number
  /** Messages that have come. */
  count: number
}

/** Who this is. The sessionID stays inside the library. */
export interface Identity {
  userID: string
  username: string
}

/** What was missed cannot be had in full. `reset`: all that was shown before is no longer true. */
export interface Discontinuity {
  reset: boolean
  reason: string
}

/** Every message after the offset `after` comes, or has come, as a `message`; what is before is in `history`. */
export interface Following {
  /** Undefined: all direct conversations, those with people who are not known yet included. */
  conversation?: Conversation | undefined
  after: number
}

export interface ClientEvents {
  state: ConnectionState
  /** While catching up, at most ten times a second. */
  progress: Progress
  /** The gateway knows who this is; or, undefined, nobody is signed in (any more). */
  identity: Identity | undefined
  /**
   * Each message once per page, in every tab. Offsets ascend, but for one's own direct messages, which may come ahead, and
   * for a `discontinuity` with `reset`.
   */
  message: Message
  /** Comes before the messages of the replay that it is about only if it says `reset`. */
  discontinuity: Discontinuity
  /** All people, once per connection; what was known of people before is replaced. */
  people: PersonWithMessages[]
  /** One of them has come, gone, or is new. */
  person: Person
  typing: Typing
  /** A conversation is followed from here on; not repeated when a connection comes back and goes on where it was. */
  following: Following
  /** A room has been left, in this tab or in another one. */
  left: Conversation
  /** A message of ours is new, or fares otherwise than before. */
  outbox: OutboxEntry
  /** A message of ours has left the outbox without being stored: discarded, retried as a new one, or its user signed out. */
  discarded: OutboxEntry
  /** One has read this far, here or in another tab. */
  read: { conversation: Conversation; offset: number }
}

/** What a call came to that the gateway refused, or that no connection could carry. */
export class RequestError extends Error {
  /** A code of the contract, or `offline` or `timeout`: those may be tried again. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'RequestError'
    this.code = code
  }
}

/** What the user interface stands on; `open()` in index.ts makes one. */
export interface Tidemark {
  readonly state: ConnectionState
  readonly identity: Identity | undefined
  /** Rooms one is in, general included; kept across reloads. */
  readonly rooms: readonly string[]
  /** How far one has read each conversation; kept across reloads. */
  readAt(conversation: Conversation): number | undefined
  /** What waits or was refused, oldest first. */
  readonly outbox: readonly OutboxEntry[]
  /** False: the browser keeps nothing for this page (private window); a reload forgets what is not sent. */
  readonly keeps: boolean

  /** Returns the function that removes the listener again. */
  on<E extends keyof ClientEvents>(name: E, listener: (value: ClientEvents[E]) => void): () => void
  /** Connects as the user that is kept, if there is one. Call it once listeners are set. */
  connect(): void
  /** Tries again now rather than later. */
  retryNow(): void
  /** Ends the connection and lets go of everything that would keep the page alive. */
  close(): void
  /** Connects as a new user of this name (1 to 64 characters). */
  signIn(username: string): void
  /** Forgets the user, in all tabs, and what was not sent. Rejects if the browser may still keep some of it. */
  signOut(): Promise<void>

  /** Says `content`, now or as soon as possible; `outbox` events tell what becomes of it. */
  send(conversation: Conversation, content: string): OutboxEntry
  /** Sends a refused message again, as a new one. */
  retry(entry: OutboxEntry): void
  /** Gives up a refused message. */
  discard(entry: OutboxEntry): void

  /**
   * Is in a room from now on; while there is no connection, or no answer, from when there is one. Should it be refused
   * only then, the room is `left`.
   *
   * @throws RequestError
   */
  join(room: string): Promise<void>
  leave(room: string): Promise<void>
  /** @throws RequestError */
  history(conversation: Conversation, request?: PageRequest): Promise<Page>
  /** Tells others that one types, as often as one likes: what goes out is limited. */
  typing(conversation: Conversation, typing: boolean): void
  /** Notes that one has read up to this offset. */
  read(conversation: Conversation, offset: number): void
}

