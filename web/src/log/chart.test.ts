import { describe, expect, test } from 'vitest'

import { gauge, lanes, nice, shape, strip } from './chart'
import type { Kind, LogEvent, LogState, Persister, Signed } from './parse'
import { kindWords } from './words'

function event(offset: number, conversation: string, bytes = 10, kind: Kind = 'message'): LogEvent {
  return { offset, at: 0, type: 't', conversation, bytes, digest: '', missing: 0, kind }
}

const size = { width: 300, lane: 40, title: 10, most: 3 }

test.each([[0, 1], [Number.NaN, 1], [1, 1], [1.1, 2], [3, 5], [7, 10], [11, 20], [201, 500], [9999, 10_000]])('the nice number for %d is %d', (value, want) => {
  expect(nice(value)).toBe(want)
})

describe('the strip of bars', () => {
  test('gives each count its height, and what is little a pixel', () => {
    expect(strip([0, 10, 5, 0.001], 40, 100)).toEqual({ top: 10, path: 'M10 100v-100h9v100zM20 100v-50h9v50zM30 100v-1h9v1z' })
  })

  test('of nothing is empty', () => {
    expect(strip([], 100, 10)).toEqual({ top: 1, path: '' })
    expect(strip([0, 0], 0, 10)).toEqual({ top: 1, path: '' })
  })
})

describe('lanes', () => {
  test('stand in the order of names, and dots in their lanes by offset', () => {
    const drawn = lanes([event(30, 'room/b'), event(20, 'room/a'), event(10, 'room/b')], size)
    expect(drawn.lanes).toEqual([
      { name: 'room/a', others: 0, y: 25, count: 1 },
      { name: 'room/b', others: 0, y: 65, count: 2 },
    ])
    expect(drawn.height).toBe(80)
    expect(drawn.dots.map(({ offset, x, y }) => [offset, x, y])).toEqual([[30, 286, 65], [20, 150, 25], [10, 14, 65]])
  })

  test('are bounded: the conversations with least events share one', () => {
    const drawn = lanes(['a', 'a', 'b', 'b', 'c', 'd', ''].map((name, i) => event(i + 1, name)), size)
    expect(drawn.lanes.map(({ name, others, count }) => [name, others, count])).toEqual([['a', 0, 2], ['b', 0, 2], ['', 3, 3]])
    expect(drawn.dots.slice(4).every((dot) => dot.y === 105)).toBe(true)
  })

  test('show size as area: four times the bytes, twice the radius', () => {
    const [big, small, tiny] = lanes([event(3, 'a', 4000), event(2, 'a', 1000), event(1, 'a', 0)], size).dots
    expect(big?.r).toBe(14)
    expect(small?.r).toBe(7)
    expect(tiny?.r).toBeGreaterThan(0)
  })

  test('of nothing, or of one event, have no size that is none', () => {
    expect(lanes([], size)).toEqual({ lanes: [], dots: [], height: 0 })
    for (const dot of lanes([event(1, 'a')], { ...size, width: 0 }).dots) expect(Number.isFinite(dot.x)).toBe(true)
  })
})

describe('the tide gauge', () => {
  const state = (last: number): LogState => ({ epoch: 'e', first: 1, last, position: last, time: 0 })
  const at = (offset: number, more: Partial<Persister> = {}): Persister => ({ offset, at: 0, epoch: 'e', lag: 0, error: undefined, ...more })
  const of = (length: number, epoch = 'e'): Signed => ({ is: 'signed', checkpoint: { size: length, root: '', key: '', epoch, at: 0 } })

  test('shows both marks, however far behind they are', () => {
    expect(gauge(state(1000), at(990), of(900))).toEqual({
      from: 800, to: 1000, persister: { offset: 990, share: 0.95 }, signed: { offset: 900, share: 0.5 },
    })
    expect(gauge(state(1_000_000), at(999_999), of(0)).from).toBe(0)
  })

  test('of an empty log is full of nothing', () => {
    expect(gauge(state(0), at(0, { epoch: '' }), { is: 'none' })).toEqual({ from: 0, to: 0, persister: undefined, signed: undefined })
  })

  test('leaves out what is of another log, or not known', () => {
    expect(gauge(state(10), at(5, { epoch: 'x' }), of(5, 'x'))).toMatchObject({ persister: undefined, signed: undefined })
    expect(gauge(state(10), at(0, { error: 'away' }), undefined)).toMatchObject({ persister: undefined, signed: undefined })
  })

  test('has no mark beyond its ends', () => {
    expect(gauge(state(10), at(12), of(99))).toMatchObject({ persister: { share: 1 }, signed: { share: 1 } })
  })
})

test('each kind has a shape of its own', () => {
  const kinds = Object.keys(kindWords) as Kind[]
  const shapes = new Set(kinds.map((kind) => shape(kind, 10, 10, 5)))
  expect(shapes.size).toBe(kinds.length)
  for (const path of shapes) expect(path).toMatch(/^M[\d.\-a zL]+z$/)
})
