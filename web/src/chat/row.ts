/** From messages to the rows that are shown: see rowsAfter. */

import type { Message } from '../tidemark'

/** `key` is unique among the rows of a conversation. */
export type Row =
  /** A calendar day of the viewer begins; `date` is its midnight. */
  | { readonly kind: 'day'; readonly key: string; readonly date: Date }
  /** What follows was not here when one left off. */
  | { readonly kind: 'new'; readonly key: string }
  /** `continued`: by the same author as the row before, and soon after it, so that neither needs to be said again. */
  | { readonly kind: 'message'; readonly key: string; readonly message: Message; readonly own: boolean; readonly continued: boolean }

export interface RowOptions {
  /** Who looks at it: the userID. */
  userID?: string | undefined
  /** See View.newAfter. */
  newAfter?: number | undefined
}

/** What the rows of a message depend on, of all that comes before it. */
export interface Before {
  /** Who said the message before it; undefined if nobody did, or nobody knows who it was. */
  author: string | undefined
  /** When, in milliseconds since 1970; NaN if that is not known. */
  time: number
  /** Midnight of the last day that is known. */
  day: number | undefined
}

export const beginning: Before = { author: undefined, time: NaN, day: undefined }

/** Whoever goes on within this time is not named again. */
const pauseMs = 5 * 60_000

/**
 * The rows of the messages, and what the row after them depends on. `newAt` is the offset before which the row "new" stands.
 *
 * A message whose time is not known (`users` does not tell it) belongs to the day before it.
 */
export function rowsAfter(
  before: Before, messages: readonly Message[], userID: string | undefined, newAt: number | undefined,
): { rows: Row[]; after: Before } {
  const rows: Row[] = []
  let after = before
  for (const message of messages) {
    const said = saidOf(message, after.day)
    const key = String(message.offset)
    const between: Row[] = []
    if (said.day !== after.day) between.push({ kind: 'day', key: `day ${key}`, date: new Date(said.day ?? NaN) })
    if (message.offset === newAt) between.push({ kind: 'new', key: 'new' })
    const continued = between.length === 0 && continues(after, said)
    rows.push(...between, { kind: 'message', key, message, own: isOwn(message, userID), continued })
    after = said
  }
  return { rows, after }
}

export function isOwn(message: Message, userID: string | undefined): boolean {
  return userID !== undefined && message.from === userID
}

function saidOf(message: Message, dayBefore: number | undefined): Before {
  const date = new Date(message.at ?? NaN)
  const time = date.getTime()
  const day = Number.isNaN(time) ? dayBefore : new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
  return { author: authorOf(message), time, day }
}

/** Guests are told apart by their nicknames only; those without one are not. */
function authorOf({ from, username }: Message): string | undefined {
  if (from !== undefined) return `user ${from}`
  return username === undefined ? undefined : `guest ${username}`
}

function continues(before: Before, said: Before): boolean {
  if (said.author === undefined || said.author !== before.author) return false
  return Number.isNaN(said.time) || Math.abs(said.time - before.time) <= pauseMs
}
