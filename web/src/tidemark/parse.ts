/**
 * From the wire to the contract's types. Each function answers undefined for what does not have the promised shape;
 * fields that may be missing and are malformed are left out.
 */

import type { Ack, ChatMessage, Epoch, Recovery, Refusal, Watermark } from './contract'

/** The arguments of `chat message`: content, offset, and what else is known about it. */
export function chatMessage(args: readonly unknown[]): ChatMessage | undefined {
  const [content, offset, rest] = args
  if (typeof content !== 'string' || !isOffset(offset) || offset === 0) return undefined
  const message: ChatMessage = { content, offset }
  if (!isRecord(rest)) return message
  for (const field of ['id', 'at', 'from', 'username', 'clientOffset'] as const) {
    const value = rest[field]
    if (typeof value === 'string') message[field] = value
  }
  return message
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
  if (value.ok !== false || !isRecord(value.error)) return undefined
  return { ok: false, error: refusal(value.error) }
}

function stored(value: Record<string, unknown>): Ack | undefined {
  if (!isOffset(value.offset)) return undefined
  const parsed: Ack = { ok: true, offset: value.offset, duplicate: value.duplicate === true }
  if (typeof value.id === 'string') parsed.id = value.id
  return parsed
}

function refusal(error: Record<string, unknown>): Refusal {
  const parsed: Refusal = {
    code: typeof error.code === 'string' ? error.code : 'unknown',
    message: typeof error.message === 'string' ? error.message : '',
  }
  const wait = error.retryAfterMs
  if (typeof wait === 'number' && Number.isFinite(wait) && wait >= 0) parsed.retryAfterMs = wait
  return parsed
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isEpoch(value: unknown): value is Epoch {
  return typeof value === 'string' || typeof value === 'number'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
