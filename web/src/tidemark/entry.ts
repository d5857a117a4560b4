/** One message in the outbox: as the page knows it, as the outbox does, as it is kept, and as the log has it. */

import type { Conversation, Message, Refusal, Stored } from './contract'
import { timeOf } from './parse'
import type { KeptEntry } from './store'
import type { Identity } from './tidemark'

export interface OutboxEntry {
  /** The idempotency key, a UUIDv7: made when the message is typed, the same in every transmission. */
  readonly key: string
  readonly conversation: Conversation
  readonly content: string
  /** When it was typed, in milliseconds since 1970 by this machine's clock. */
  readonly typedAt: number
  state: 'pending' | 'stored' | 'refused'
  /** Why it is pending: nobody to send it to, before it in the queue, on its way, unanswered for too long, too fast. */
  waitsFor?: 'connection' | 'turn' | 'ack' | 'retry' | 'rate limit'
  /** How often it has been transmitted. */
  transmissions: number
  /** Place in the log, once stored. */
  offset?: number
  /** Why, once refused. */
  refusal?: Refusal
}

export type WaitsFor = NonNullable<OutboxEntry['waitsFor']>

export interface Item {
  entry: OutboxEntry
  /** The userID it was typed under; undefined until that is known. */
  user: string | undefined
  /** The store has it, or never will: it may be transmitted. */
  kept: boolean
}

/** Whether it was stored cannot be found out any more: keys are good under the user that they were made under. */
export const sessionEnded: Refusal = {
  code: 'session_ended',
  message: 'the session that it was typed in has ended; it may or may not have been stored',
}

export function newEntry(typed: Pick<OutboxEntry, 'key' | 'conversation' | 'content' | 'typedAt'>): OutboxEntry {
  return { ...typed, state: 'pending', waitsFor: 'connection', transmissions: 0 }
}

export function itemOf({ key, conversation, content, typedAt, user, refusal }: KeptEntry): Item {
  const entry = newEntry({ key, conversation, content, typedAt })
  if (refusal !== undefined) {
    entry.state = 'refused'
    entry.refusal = refusal
    delete entry.waitsFor
  }
  return { entry, user, kept: true }
}

export function keptOf({ entry, user }: Item, tab: string): KeptEntry {
  const { key, conversation, content, typedAt, refusal } = entry
  const kept: KeptEntry = { key, tab, conversation, content, typedAt }
  if (user !== undefined) kept.user = user
  if (refusal !== undefined) kept.refusal = refusal
  return kept
}

/**
 * What the log has once it has acked the entry of this user. The ack tells no time, so that `at` is the id's: where the
 * message is told by the log as well, the log's `at` is the right one.
 */
export function messageOf({ conversation, content, key }: OutboxEntry, { offset, id }: Stored, user: Identity): Message {
  const message: Message = {
    conversation, offset, content, from: user.userID, username: user.username, clientOffset: key,
  }
  const at = id === undefined ? undefined : timeOf(id)
  if (id !== undefined) message.id = id
  if (at !== undefined) message.at = at
  return message
}
