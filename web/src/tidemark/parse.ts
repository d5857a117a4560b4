/**
 * From the wire to the contract's types. Each function answers undefined for what does not have the promised shape;
 * fields that may be missing and are malformed are left out.
 */

import {
  general, type Ack, type Conversation, type Epoch, type Message, type Page, type Person, type PersonWithMessages,
  type Recovery, type Refusal, type Replay, type Session, type Typing, type Watermark,
} from './contract'

/** The arguments of `chat message`: content, offset, and what else is known about it. */
export function chatMessage([content, offset, rest]: readonly unknown[]): Message | undefined {
  return message(general, { ...(isRecord(rest) ? rest : {}), content, offset })
}

export function roomMessage(value: unknown): Message | undefined {
  return isRecord(value) && isName(value.room) ? message({ room: value.room }, value) : undefined
}

/** Of the user `self`: the conversation is with the other one. */
export function privateMessage(value: unknown, self: string): Message | undefined {
  if (!isRecord(value) || !isName(value.from) || !isName(value.to)) return undefined
  return message({ user: value.from === self ? value.to : value.from }, value)
}

function message(conversation: Conversation, value: Record<string, unknown>): Message | undefined {
  const { content, offset } = value
  if (typeof content !== 'string' || !isOffset(offset) || offset === 0) return undefined
  const parsed: Message = { conversation, offset, content }
  for (const field of ['id', 'at', 'from', 'username', 'clientOffset'] as const) {
    const known = value[field]
    if (typeof known === 'string') parsed[field] = known
  }
  return parsed
}

/** The answer to `history` of a conversation: a page, or why there is none. */
export function page(value: unknown, conversation: Conversation): Page | Refusal | undefined {
  if (!isRecord(value)) return undefined
  if (value.ok !== true) return refused(value)
  if (!Array.isArray(value.messages)) return undefined
  return { messages: messages(value.messages, conversation), more: value.more === true }
}

/** The answer to `room join`: its head, or why not. */
export function joined(value: unknown): { head: number } | Refusal | undefined {
  if (!isRecord(value)) return undefined
  if (value.ok !== true) return refused(value)
  return isOffset(value.head) ? { head: value.head } : undefined
}

/** The answer to `room leave`. */
export function done(value: unknown): { ok: true } | Refusal | undefined {
  if (!isRecord(value)) return undefined
  return value.ok === true ? { ok: true } : refused(value)
}

/** Ascending, each offset once. */
function messages(values: readonly unknown[], conversation: Conversation): Message[] {
  const parsed: Message[] = []
  for (const value of values) {
    const next = isRecord(value) ? message(conversation, value) : undefined
    if (next !== undefined && next.offset > (parsed.at(-1)?.offset ?? 0)) parsed.push(next)
  }
  return parsed
}

export function session(value: unknown): Session | undefined {
  if (!isRecord(value) || typeof value.sessionID !== 'string' || !isName(value.userID)) return undefined
  const { sessionID, userID, username } = value
  return isName(username) ? { sessionID, userID, username } : { sessionID, userID }
}

export function people(value: unknown): PersonWithMessages[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.flatMap((one: unknown) => {
    const known = person(one)
    if (known === undefined || !isRecord(one)) return []
    const latest = Array.isArray(one.messages) ? one.messages : []
    return [{ ...known, messages: messages(latest, { user: known.userID }) }]
  })
}

export function person(value: unknown): Person | undefined {
  if (!isRecord(value) || !isName(value.userID) || typeof value.username !== 'string') return undefined
  return { userID: value.userID, username: value.username, connected: value.connected === true }
}

/** The room is the one the sender named; without one, it is a direct conversation, or a guest's in general. */
export function typing(value: unknown, typing: boolean): Typing | undefined {
  if (!isRecord(value) || typeof value.username !== 'string') return undefined
  const { username, userID, room } = value
  const who = isName(userID) ? { username, userID, typing } : { username, typing }
  if (isName(room)) return { ...who, conversation: { room } }
  return { ...who, conversation: isName(userID) ? { user: userID } : general }
}

export function replay(value: unknown): Replay | undefined {
  if (!isRecord(value) || !isOffset(value.from) || !isOffset(value.head)) return undefined
  return { from: value.from, head: value.head }
}

export function recovery(value: unknown): Recovery | undefined {
  if (!isRecord(value) || typeof value.recovered !== 'boolean' || !isOffset(value.head)) return undefined
  const parsed: Recovery = {
    recovered: value.recovered,
    from: isOffset(value.from) ? value.from : 0,
    head: value.head,
    count: isOffset(value.count) ? value.count : 0,
  }
  if (isEpoch(value.epoch)) parsed.epoch = value.epoch
  if (typeof value.reason === 'string' && value.reason !== '') parsed.reason = value.reason
  return parsed
}

export function watermark(value: unknown): Watermark | undefined {
  return isRecord(value) && isOffset(value.offset) ? { offset: value.offset } : undefined
}

export function ack(value: unknown): Ack | undefined {
  if (!isRecord(value)) return undefined
  if (value.ok === true) return stored(value)
  const error = refused(value)
  return error && { ok: false, error }
}

function stored(value: Record<string, unknown>): Ack | undefined {
  if (!isOffset(value.offset)) return undefined
  const parsed: Ack = { ok: true, offset: value.offset, duplicate: value.duplicate === true }
  if (typeof value.id === 'string') parsed.id = value.id
  return parsed
}

function refused({ ok, error }: Record<string, unknown>): Refusal | undefined {
  if (ok !== false || !isRecord(error)) return undefined
  const parsed: Refusal = {
    code: typeof error.code === 'string' ? error.code : 'unknown',
    message: typeof error.message === 'string' ? error.message : '',
  }
  const wait = error.retryAfterMs
  if (typeof wait === 'number' && Number.isFinite(wait) && wait >= 0) parsed.retryAfterMs = wait
  return parsed
}

/**
 * When the gateway made this id, a UUIDv7: RFC 3339, UTC, milliseconds. By the gateway's clock, and before the log stored
 * the message: close to the log's time, not equal to it.
 */
export function timeOf(id: string): string | undefined {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(id)) return undefined
  return new Date(parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString()
}

export function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function isEpoch(value: unknown): value is Epoch {
  return typeof value === 'string' || typeof value === 'number'
}

export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
