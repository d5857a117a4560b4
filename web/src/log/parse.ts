/**
 * What the gateway says at `/log/feed`, and its reading: each function answers undefined for what does not have the
 * promised shape.
 */

export type Offset = number

/** How the log stands: what a stream begins with, and `head` once a second. */
export interface LogState {
  epoch: string
  /** Of the log; `first` is behind `last` if it is empty. */
  first: Offset
  last: Offset
  /** Of the gateway's feed. */
  position: Offset
  /** By the log's clock, milliseconds since 1970. */
  time: number
}

export interface LogEvent {
  offset: Offset
  /** Milliseconds since 1970; NaN where it is not known. */
  at: number
  /** Empty for what could not be read. */
  type: string
  conversation: string
  /** Of the content. */
  bytes: number
  /** 64 hexadecimal digits, or empty. */
  digest: string
  /** So many offsets just before it hold nothing. */
  missing: number
  kind: Kind
}

/** What an event is to somebody who looks at the log. */
export type Kind = 'message' | 'registration' | 'unknown' | 'damaged' | 'unread'

export interface Persister {
  offset: Offset
  at: number | undefined
  epoch: string
  lag: number
  error: string | undefined
}

/** What the latest signed checkpoint says. Nobody has verified it here. */
export interface Checkpoint {
  size: number
  root: string
  key: string
  epoch: string
  at: number
}

/** `none`: nobody has signed anything. */
export type Signed = { is: 'none' } | { is: 'unreadable', error: string } | { is: 'signed', checkpoint: Checkpoint }

export function logState(text: string): LogState | undefined {
  const value = record(text)
  const { epoch, first, last, position, time } = value ?? {}
  if (typeof epoch !== 'string' || !isCount(first) || !isCount(last) || !isCount(position)) return undefined
  const at = millis(time)
  return at === undefined ? undefined : { epoch, first, last, position, time: at }
}

export function logEvent(text: string): LogEvent | undefined {
  const value = record(text)
  if (value === undefined || !isCount(value.offset) || value.offset === 0) return undefined
  const event = {
    offset: value.offset,
    at: millis(value.at) ?? Number.NaN,
    type: words(value.type),
    conversation: words(value.conversation),
    bytes: isCount(value.bytes) ? value.bytes : 0,
    digest: /^[0-9a-f]{64}$/.test(words(value.digest)) ? words(value.digest) : '',
    missing: isCount(value.missing) ? value.missing : 0,
  }
  return { ...event, kind: kindOf(value, event.type) }
}

function kindOf(value: Record<string, unknown>, type: string): Kind {
  if (value.damaged === true) return 'damaged'
  if (value.unread === true) return 'unread'
  if (value.unknown === true) return 'unknown'
  if (type === 'message.posted') return 'message'
  return type === 'user.registered' ? 'registration' : 'unknown'
}

/** How many events are not sent. */
export function skipped(text: string): number | undefined {
  const count = record(text)?.count
  return isCount(count) ? count : undefined
}

export function persister(text: string): Persister | undefined {
  const value = record(text)
  if (value === undefined || !isCount(value.offset) || !isCount(value.lag)) return undefined
  const error = words(value.error)
  return {
    offset: value.offset, at: millis(value.at), epoch: words(value.epoch), lag: value.lag, error: error === '' ? undefined : error,
  }
}

export function signed(text: string): Signed | undefined {
  const value = record(text)
  if (value === undefined) return undefined
  if (value.none === true) return { is: 'none' }
  if (typeof value.error === 'string') return { is: 'unreadable', error: value.error }
  const at = millis(value.at)
  if (!isCount(value.size) || typeof value.root !== 'string' || at === undefined) return undefined
  const key = words(value.key) === '' ? words(value.origin) : words(value.key)
  return { is: 'signed', checkpoint: { size: value.size, root: value.root, key, epoch: words(value.epoch), at } }
}

function record(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined
  } catch {
    return undefined
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function millis(value: unknown): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}
