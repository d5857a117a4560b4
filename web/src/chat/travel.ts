/** Between the controls of time travel and moments in the log. */

import type { Bounds } from './types'

/**
 * The offset that a slider's value stands for: a whole one within the bounds. What is no number stands for the end,
 * where a slider that was not moved is.
 */
export function offsetAt(value: string | number, { first, last }: Bounds): number {
  const offset = value === '' ? NaN : Math.round(Number(value))
  return Number.isNaN(offset) ? last.offset : Math.min(Math.max(offset, first.offset), last.offset)
}

/** A time as <input type="datetime-local"> has it: in the user's time zone, to the minute. Empty if it is no time. */
export function localOf(at: string | undefined): string {
  const date = new Date(at ?? NaN)
  const year = date.getFullYear()
  if (!(year >= 1000 && year <= 9999)) return ''
  const [month, day, hours, minutes] = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()].map(twoDigits)
  return `${year}-${month}-${day}T${hours}:${minutes}`
}

/**
 * The last moment (RFC 3339, UTC) of the minute, or of the second, that such an input names: what was said in that very
 * minute belongs to it. Undefined if it names none.
 */
export function atOf(local: string): string | undefined {
  const parts = /^([1-9]\d{3}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(?:\.\d{1,3})?$/.exec(local)
  if (parts === null) return undefined
  const date = new Date(`${parts[1]}${parts[2] ?? ':59'}.999`) // without a zone it is local time
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
