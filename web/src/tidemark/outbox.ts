/**
 * What the user has said, kept until the log has it: one message in flight at a time, in the order in which they were
 * typed, each until it is stored or refused for good.
 */

import type { Conversation, Refusal } from './contract'

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
