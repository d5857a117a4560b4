/**
 * What outlives the page: who one is, how far one has come and read, which rooms one is in, and what is not sent yet.
 *
 * All tabs of a browser share one store, so what is written takes account of what the others have written: what was read
 * further stays, rooms are added and taken out one by one, and entries of the outbox belong to a tab.
 */

import type { Conversation, ConversationKey, Refusal } from './contract'
import { general } from './contract'
import type { Place } from './cursor'
import { isEpoch, isName, isOffset, isRecord } from './parse'

export interface KeptSession {
  /** The user's secret. */
  sessionID: string
  userID: string
  username: string
  /** Milliseconds since 1970: of two sign-ins at the same time, in two tabs, the later one counts. */
  since: number
}

export interface Kept {
  session: KeptSession | undefined
  cursor: Place | undefined
  rooms: readonly string[]
  /** Each in the log that its epoch says. */
  readAt: ReadonlyMap<ConversationKey, Place>
}

/** An entry of the outbox, pending unless it has a refusal. */
export interface KeptEntry {
  key: string
  /** The tab that sends it: see tabs.ts. */
  tab: string
  /** The userID it was typed under; missing if that was not known yet. */
  user?: string
  conversation: Conversation
  content: string
  typedAt: number
  refusal?: Refusal
}

/** Methods take effect in the order in which they are called. */
export interface Store {
  /** Whether what was written so far outlives the page, and what follows will. */
  readonly keeps: boolean
  load(): Promise<Kept>
  /** Keeps the later one of this session and the one that is kept. A new user has no cursor. */
  signIn(session: KeptSession): Promise<void>
  /** Forgets this session, and the cursor; nothing if another one is kept by now. */
  forget(sessionID: string): Promise<void>
  /**
   * Keeps the cursor. One of another tab may be higher: to resume at a lower one costs a longer replay and nothing else,
   * and to look first would take longer than a page that is left may live.
   */
  place(place: Place): Promise<void>
  join(room: string): Promise<void>
  leave(room: string): Promise<void>
  /** Keeps the further place of this one and the one that is kept, unless that is one of another log. */
  read(key: ConversationKey, place: Place): Promise<void>
  /** Forgets how far one has read: the offsets were of another log. */
  forgetRead(): Promise<void>
  /** Forgets everything, entries included. */
  clear(): Promise<void>

  /** In ascending order of their keys, which is the order of typing. */
  entries(): Promise<KeptEntry[]>
  put(entry: KeptEntry): Promise<void>
  delete(key: string): Promise<void>
  /** Makes the entries of one tab those of another, and answers with them. Of tabs that ask at once, one is given them. */
  adopt(from: string, to: string): Promise<KeptEntry[]>

  close(): void
}

/** The rooms one is in as long as nothing else is kept. */
export const firstRooms: readonly string[] = 'room' in general ? [general.room] : []

/** Which of two sign-ins counts; every tab comes to the same answer. */
export function laterOf(one: KeptSession, other: KeptSession): KeptSession {
  if (one.since !== other.since) return one.since > other.since ? one : other
  return one.userID > other.userID ? one : other
}

/** How far a conversation was read, where `kept` is what was known of it. */
export function furtherOf(place: Place, kept: Place | undefined): Place {
  return kept !== undefined && kept.epoch === place.epoch && kept.offset > place.offset ? kept : place
}

/** The functions below read what an older or newer version of the library may have written. */
export function keptSession(value: unknown): KeptSession | undefined {
  if (!isRecord(value)) return undefined
  const { sessionID, userID, username, since } = value
  if (!isName(sessionID) || !isName(userID) || !isName(username) || typeof since !== 'number') return undefined
  return { sessionID, userID, username, since }
}

export function keptPlace(value: unknown): Place | undefined {
  if (!isRecord(value) || !isOffset(value.offset) || !isEpoch(value.epoch)) return undefined
  return { offset: value.offset, epoch: value.epoch }
}

export function keptRooms(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(isName) : firstRooms
}

export function keptEntry(value: unknown): KeptEntry | undefined {
  if (!isRecord(value) || !isName(value.key) || !isName(value.tab) || typeof value.content !== 'string') return undefined
  const conversation = keptConversation(value.conversation)
  if (conversation === undefined || typeof value.typedAt !== 'number') return undefined
  const entry: KeptEntry = { key: value.key, tab: value.tab, conversation, content: value.content, typedAt: value.typedAt }
  if (isName(value.user)) entry.user = value.user
  if (isRecord(value.refusal) && isName(value.refusal.code)) {
    entry.refusal = { code: value.refusal.code, message: String(value.refusal.message ?? '') }
  }
  return entry
}

function keptConversation(value: unknown): Conversation | undefined {
  if (!isRecord(value)) return undefined
  if (isName(value.room)) return { room: value.room }
  return isName(value.user) ? { user: value.user } : undefined
}

export function isConversationKey(value: unknown): value is ConversationKey {
  return typeof value === 'string' && /^(room|user)\/./s.test(value)
}
