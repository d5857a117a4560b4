/** What there is to show and to do, apart from how: the components of ui/ know the chat by these types only. */

import type { InjectionKey } from 'vue'

import type { ConnectionState, Conversation, ConversationKey, Identity, Message, OutboxEntry, Person, Progress } from '../tidemark'

/** One line of the list of conversations. */
export interface Line {
  key: ConversationKey
  conversation: Conversation
  /** The room's name, or the other user's. */
  title: string
  /** Messages of others that one has not read; at most 100, which stands for "more than 99". */
  unread: number
  /** One's own messages that were refused, and about which one has to decide. */
  refused: number
  /** Offset of its newest message, 0 for none: what it is sorted by. */
  newest: number
  /** Of a direct conversation. */
  person?: Person
  /** It is oneself. */
  self: boolean
}

/**
 *   live     ends with what is said now
 *   around   a part of the past, around a message that somebody has linked to; it can be read on to the present
 *   as of    the conversation as it was at an offset: later messages do not exist
 */
export type Mode = 'live' | 'around' | 'as of'

/** The part of the open conversation that is shown. A new object whenever anything of it is another. */
export interface View {
  key: ConversationKey
  conversation: Conversation
  title: string
  mode: Mode
  /** In ascending offset, each once. The array is a new one whenever it changes. */
  messages: readonly Message[]
  /** Whether there may be older, or newer, ones to load. */
  older: boolean
  newer: boolean
  loading: 'older' | 'newer' | 'other' | undefined
  /** Why nothing could be loaded; undefined again when something could. */
  failure: string | undefined
  /** One's own that are not among them yet: pending and refused ones, in the order of typing. Only `live`. */
  waiting: readonly OutboxEntry[]
  /** A line "new messages" stands before the first message of others after this offset. */
  newAfter: number | undefined
  /** To be brought into sight and marked; `visit` counts the times that was asked for. */
  target: number | undefined
  visit: number
  /** Names of those who type. */
  typing: readonly string[]
  /** The offset it is shown as of. */
  asOf: number | undefined
}

/** Ends of a conversation's history, for the slider. Undefined if nothing was ever said. */
export interface Bounds {
  first: Message
  last: Message
}

/** Reactive: what components read in their templates and computed values. */
export interface ChatState {
  phase: 'nobody' | 'entering' | 'somebody'
  connection: ConnectionState
  progress: Progress | undefined
  identity: Identity | undefined
  /** Why the last name was not taken. */
  refusedName: string | undefined
  /** The session of this user has ended, and not by his doing; `words` say so. */
  ended: { username: string; words: string } | undefined
  /** Something that the user has to know, until he takes note of it. */
  notice: string | undefined
  /** False: nothing is kept over a reload. */
  keeps: boolean
  rooms: readonly Line[]
  people: readonly Line[]
  view: View | undefined
  /** Messages, of all conversations, that are not stored yet; refused ones not counted. */
  waiting: number
}

export interface Chat {
  readonly state: Readonly<ChatState>

  signIn(username: string): void
  signOut(): Promise<void>
  retryNow(): void
  dismissNotice(): void

  /** What the address names: `#/room/general`, `#/user/<id>`, either with `@<offset>`. */
  openAddress(hash: string): void
  address(conversation: Conversation, offset?: number): string
  /** Rejects with an Error that says why. */
  joinRoom(name: string): Promise<void>
  /** Rejects as long as there is anything that was typed for it and is not sent. */
  leaveRoom(name: string): Promise<void>

  /** Of the view; they do nothing while it is loading, and do not reject: see View.failure. */
  loadOlder(): Promise<void>
  loadNewer(): Promise<void>
  /** Tries once more what View.failure is about. */
  again(): Promise<void>
  /** Shows the open conversation as of an offset, or a time (RFC 3339). The last call wins. */
  travelTo(moment: { offset: number } | { at: string }): Promise<void>
  backToNow(): void
  bounds(): Promise<Bounds | undefined>

  send(conversation: Conversation, content: string): void
  retry(entry: OutboxEntry): void
  discard(entry: OutboxEntry): void
  /** One is typing; false: no longer. */
  typing(conversation: Conversation, typing: boolean): void
  /** The end of the live view is on the screen, whether anybody looks or not. */
  standsAtEnd(stands: boolean): void
  /** The user looks at it. */
  readToEnd(): void
  /** The user no longer does: what comes now is new to him. */
  lookedAway(): void
}

export const chatKey: InjectionKey<Chat> = Symbol('chat')
