/**
 * The rows of a conversation in chunks, so that what changes at one end of ten thousand messages is worked out, and drawn,
 * for a few dozen of them.
 */

import type { Message } from '../tidemark'
import { type Before, beginning, isOwn, type Row, type RowOptions, rowsAfter } from './row'
import { firstFrom } from './search'

export type { Row, RowOptions } from './row'

/** Some messages in a row, with the rows that stand before each. It is never changed: a changed chunk is a new object. */
export interface Chunk {
  /** The same for as long as the chunk begins at the same place, whatever becomes of its rows. */
  readonly key: string
  readonly rows: readonly Row[]
}

/** How many messages a chunk has when it is full. Pages of history may make smaller ones. */
const full = 50

/** What a chunk was made of: it need not be made again of the same. */
interface Made {
  /** The chunk holds what is at or above this offset, and below the next chunk's. */
  start: number
  messages: readonly Message[]
  before: Before
  after: Before
  userID: string | undefined
  newAt: number | undefined
}

const madeOf = new WeakMap<Chunk, Made>()

export function rowsOf(messages: readonly Message[], options: RowOptions): Row[] {
  return rowsAfter(beginning, messages, options.userID, newAtOf(messages, options)).rows
}

/**
 * The rows of rowsOf, in chunks. Given what it returned `previous`ly for the conversation, a chunk in which nothing is
 * otherwise is the same object, and so is each row.
 *
 *   what lies before all of        │  a chunk of `previous`, from   │  further ones  │  the last one is filled,
 *   them: chunks of its own        │  its start to the next one's   │                │  and others follow it
 */
export function chunksOf(messages: readonly Message[], options: RowOptions, previous: readonly Chunk[] = []): Chunk[] {
  const { userID } = options
  const newAt = newAtOf(messages, options)
  const known = new Map(previous.flatMap((chunk) => {
    const made = madeOf.get(chunk)
    return made === undefined ? [] : [[made.start, chunk] as const]
  }))
  const chunks: Chunk[] = []
  let before = beginning
  for (const piece of piecesOf(messages, [...known.keys()])) {
    const has = newAt !== undefined && piece.messages.some(({ offset }) => offset === newAt)
    const chunk = chunkOf(piece, before, userID, has ? newAt : undefined, known.get(piece.start))
    chunks.push(chunk)
    before = madeOf.get(chunk)?.after ?? beginning
  }
  return chunks
}

/** The offset of the first message that is new to the viewer. */
function newAtOf(messages: readonly Message[], { userID, newAfter }: RowOptions): number | undefined {
  if (newAfter === undefined) return undefined
  for (let i = firstFrom(messages, newAfter + 1, offsetOf); i < messages.length; i++) {
    const message = messages[i]
    if (message !== undefined && !isOwn(message, userID)) return message.offset
  }
  return undefined
}

interface Piece {
  start: number
  messages: readonly Message[]
}

/** Cuts the messages where the chunks before them began. */
function piecesOf(messages: readonly Message[], starts: readonly number[]): Piece[] {
  const cuts = starts.map((start) => firstFrom(messages, start, offsetOf))
  const pieces = cut(messages.slice(0, cuts[0]))
  starts.forEach((start, i) => {
    const isLast = i === starts.length - 1
    const part = messages.slice(cuts[i], cuts[i + 1])
    if (isLast || part.length > 2 * full) pieces.push(...cut(part, start))
    else if (part.length > 0) pieces.push({ start, messages: part })
  })
  return pieces
}

/** In full pieces; the last one has room for what is said next. */
function cut(messages: readonly Message[], start = messages[0]?.offset ?? 0): Piece[] {
  const pieces: Piece[] = []
  for (let i = 0; i < messages.length; i += full) {
    const part = messages.slice(i, i + full)
    pieces.push({ start: i === 0 ? start : (part[0]?.offset ?? start), messages: part })
  }
  return pieces
}

function chunkOf(
  { start, messages }: Piece, before: Before, userID: string | undefined, newAt: number | undefined, previous?: Chunk,
): Chunk {
  const made = previous && madeOf.get(previous)
  if (previous !== undefined && made !== undefined && isSame(made, messages, before, userID, newAt)) return previous
  const { rows, after } = rowsAfter(before, messages, userID, newAt)
  const chunk = chunkWith(`from ${start}`, rows, previous)
  madeOf.set(chunk, { start, messages, before, after, userID, newAt })
  return chunk
}

function isSame(
  made: Made, messages: readonly Message[], before: Before, userID: string | undefined, newAt: number | undefined,
): boolean {
  return made.userID === userID && made.newAt === newAt
    && made.before.author === before.author && Object.is(made.before.time, before.time) && made.before.day === before.day
    && made.messages.length === messages.length && made.messages.every((message, i) => message === messages[i])
}

/** The previous chunk if it has the same rows, else one that keeps those of its rows that are the same. */
function chunkWith(key: string, rows: readonly Row[], previous: Chunk | undefined): Chunk {
  if (previous === undefined) return { key, rows }
  const kept = new Map(previous.rows.map((row) => [row.key, row]))
  const merged = rows.map((row) => {
    const known = kept.get(row.key)
    return known !== undefined && isEqual(known, row) ? known : row
  })
  const unchanged = merged.length === previous.rows.length && merged.every((row, i) => row === previous.rows[i])
  return unchanged ? previous : { key, rows: merged }
}

function isEqual(a: Row, b: Row): boolean {
  if (a.kind === 'message' && b.kind === 'message') {
    return a.message === b.message && a.own === b.own && a.continued === b.continued
  }
  if (a.kind === 'day' && b.kind === 'day') return a.date.getTime() === b.date.getTime()
  return a.kind === b.kind
}

function offsetOf(message: Message): number {
  return message.offset
}
