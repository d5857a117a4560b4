/** The geometry of the pictures, in CSS pixels, as functions of values. */

import type { Kind, LogEvent, LogState, Persister, Signed } from './parse'

/** The least of 1, 2, 5, 10, 20, ... that is not below a value; at least 1. */
export function nice(value: number): number {
  if (!(value > 1)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5, 10].find((n) => n * power >= value) ?? 10
  return step * power
}

export interface Strip {
  /** What the top stands for. */
  top: number
  /** One outline of all bars, for a path. */
  path: string
}

/** Bars for counts, from left to right, each at least a pixel high if it is not 0. */
export function strip(counts: readonly number[], width: number, height: number): Strip {
  const top = nice(counts.reduce((a, b) => Math.max(a, b), 0))
  const step = width / Math.max(counts.length, 1)
  const gap = step > 3 ? 1 : 0
  const path = counts.map((count, i) => {
    if (count === 0) return ''
    const high = Math.max(1, (count / top) * height)
    return `M${round(i * step)} ${height}v${round(-high)}h${round(step - gap)}v${round(high)}z`
  })
  return { top, path: path.join('') }
}

export interface Dot {
  offset: number
  x: number
  y: number
  r: number
  kind: Kind
}

export interface Lane {
  /** Empty for what is in no conversation, and `others`. */
  name: string
  /** So many conversations are in it, if it is the one of all others. */
  others: number
  /** The middle of its dots. */
  y: number
  count: number
}

export interface Lanes {
  lanes: Lane[]
  dots: Dot[]
  height: number
}

/** How lanes are drawn. */
export interface LaneSize {
  width: number
  /** Height of a lane, and of its name above its dots. */
  lane: number
  title: number
  /** At most so many lanes, that of all others included. */
  most: number
}

/**
 * Events as dots in the lanes of their conversations: from left to right by offset, the area by the size of the content. The
 * conversations with most events have lanes of their own, in the order of their names so that they stay where they are; what is
 * left shares the last one.
 */
export function lanes(events: readonly LogEvent[], size: LaneSize): Lanes {
  const counts = new Map<string, number>()
  for (const { conversation } of events) counts.set(conversation, (counts.get(conversation) ?? 0) + 1)
  const own = chosen(counts, size.most)
  const middle = (row: number): number => row * size.lane + (size.title + size.lane) / 2
  const rows: Lane[] = own.map((name, i) => ({ name, others: 0, y: middle(i), count: counts.get(name) ?? 0 }))
  const others = counts.size - own.length
  if (others > 0) {
    const count = events.length - rows.reduce((sum, row) => sum + row.count, 0)
    rows.push({ name: '', others, y: middle(rows.length), count })
  }
  const at = new Map(own.map((name, i) => [name, i]))
  const place = placing(events, size)
  const dots = events.map((event) => {
    const row = rows[at.get(event.conversation) ?? rows.length - 1]
    return { ...place(event), y: row?.y ?? 0 }
  })
  return { lanes: rows, dots, height: rows.length * size.lane }
}

function chosen(counts: ReadonlyMap<string, number>, most: number): string[] {
  const byCount = [...counts].sort(([a, n], [b, m]) => m - n || compare(a, b))
  const own = byCount.length <= most ? byCount : byCount.slice(0, most - 1)
  return own.map(([name]) => name).sort(compare)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const smallest = 2.5

/** Where events are in width, and how large: the biggest content fills its lane. */
function placing(events: readonly LogEvent[], { width, lane, title }: LaneSize): (event: LogEvent) => Omit<Dot, 'y'> {
  const largest = (lane - title) / 2 - 1
  const most = Math.max(...events.map((event) => event.bytes), 256)
  const offsets = events.map((event) => event.offset)
  const [low, high] = [Math.min(...offsets), Math.max(...offsets)]
  const room = Math.max(0, width - 2 * largest)
  return ({ offset, bytes, kind }) => ({
    offset,
    kind,
    x: round(largest + (high === low ? room : (room * (offset - low)) / (high - low))),
    r: round(Math.max(smallest, largest * Math.sqrt(bytes / most))),
  })
}

/** A mark on the gauge, and where it is between its ends, from 0 to 1. */
export interface Mark {
  offset: number
  share: number
}

export interface Gauge {
  from: number
  to: number
  persister: Mark | undefined
  signed: Mark | undefined
}

/**
 * The end of the log, large enough to show the lags: it begins a nice number of offsets before the head, behind both marks
 * where there are any.
 */
export function gauge(state: LogState, persister: Persister | undefined, signed: Signed | undefined): Gauge {
  const at = persister?.error === undefined && persister?.epoch === state.epoch ? persister.offset : undefined
  const size = signed?.is === 'signed' && signed.checkpoint.epoch === state.epoch ? signed.checkpoint.size : undefined
  const lag = state.last - Math.min(at ?? state.last, size ?? state.last, state.last)
  const from = Math.max(0, state.last - nice(Math.max(20, lag * 1.2)))
  const mark = (offset: number | undefined): Mark | undefined => {
    if (offset === undefined) return undefined
    const share = state.last === from ? 1 : (offset - from) / (state.last - from)
    return { offset, share: Math.min(1, Math.max(0, share)) }
  }
  return { from, to: state.last, persister: mark(at), signed: mark(size) }
}

/** The outline of a dot around a point: each kind has a shape of its own. */
export function shape(kind: Kind, x: number, y: number, r: number): string {
  switch (kind) {
    case 'message':
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`
    case 'registration':
      return polygon(x, y, [[0, -r * 1.25], [r * 1.25, 0], [0, r * 1.25], [-r * 1.25, 0]])
    case 'unknown':
      return polygon(x, y, [[0, -r * 1.3], [r * 1.2, r], [-r * 1.2, r]])
    case 'damaged':
      return cross(x, y, Math.max(r, 4))
    case 'unread':
      return polygon(x, y, [[-r, -r], [r, -r], [r, r], [-r, r]])
  }
}

function cross(x: number, y: number, r: number): string {
  const t = r / 2.5
  return polygon(x, y, [
    [-r, -r + t], [-r + t, -r], [0, -t], [r - t, -r], [r, -r + t], [t, 0],
    [r, r - t], [r - t, r], [0, t], [-r + t, r], [-r, r - t], [-t, 0],
  ])
}

function polygon(x: number, y: number, corners: readonly (readonly [number, number])[]): string {
  return `M${corners.map(([dx, dy]) => `${round(x + dx)} ${round(y + dy)}`).join('L')}z`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
