import { describe, expect, test } from 'vitest'

import type { Message, Page } from '../tidemark'
import { below, chance, message, offsetsOf } from './samples'
import { Span } from './span'

const insert = (span: Span, message: Message) => span.insertAll([message]).length > 0
/** The answers to what would be asked for now. */
const prepend = (span: Span, page: Page) => span.prepend(page, span.floor + 1)
const append = (span: Span, page: Page) => span.append(page, span.ceiling)

const page = (offsets: number[], more: boolean) => ({ messages: offsets.map((offset) => message(offset)), more })

function spanOf(floor: number, ceiling: number, ...offsets: number[]): Span {
  const span = new Span(floor, ceiling)
  span.insertAll(offsets.map((offset) => message(offset)))
  return span
}

describe('inserting', () => {
  test('keeps messages in ascending offset, each once', () => {
    const span = new Span(0)
    expect([5, 9, 7, 7, 1, 9].map((offset) => insert(span, message(offset)))).toEqual([true, true, true, false, true, false])
    expect(offsetsOf(span.messages)).toEqual([1, 5, 7, 9])
    expect([1, 6, 9, 10].map((offset) => span.has(offset))).toEqual([true, false, true, false])
  })

  test('takes nothing from outside of the span', () => {
    const span = new Span(10, 20)
    expect([10, 11, 20, 21].map((offset) => insert(span, message(offset)))).toEqual([false, true, true, false])
    expect(offsetsOf(span.messages)).toEqual([11, 20])
  })

  test('makes a new array if anything has changed, and only then', () => {
    const span = spanOf(0, Infinity, 1, 2)
    const before = span.messages
    insert(span, message(2))
    span.insertAll([])
    expect(span.messages).toBe(before)
    insert(span, message(3))
    expect(span.messages).not.toBe(before)
    expect(offsetsOf(before)).toEqual([1, 2])
  })

  test('replaces a message by a telling that has more of it, and is not new for that', () => {
    const span = spanOf(0, Infinity, 1, 2, 3)
    const before = span.messages
    const fuller = message(2, { id: 'i', at: '2026-11-21T12:00:00.000Z' })
    expect(insert(span, fuller)).toBe(false)
    expect(span.messages).not.toBe(before)
    expect(span.messages[1]).toEqual(fuller)
    expect(insert(span, message(2))).toBe(false)
    expect(span.messages[1]).toEqual(fuller)
  })

  test('tells the time that was told last: an ack knows it less exactly than the log', () => {
    const span = new Span(0)
    insert(span, message(1, { at: '2026-11-21T12:00:00.001Z' }))
    insert(span, message(1, { at: '2026-11-21T12:00:00.003Z' }))
    expect(span.messages).toEqual([message(1, { at: '2026-11-21T12:00:00.003Z' })])
  })

  test('of two tellings of which each has something more, keeps both', () => {
    const span = new Span(0)
    insert(span, message(1, { clientOffset: 'k' }))
    insert(span, message(1, { id: 'i' }))
    expect(span.messages).toEqual([message(1, { clientOffset: 'k', id: 'i' })])
  })

  test('all at once returns what is new, the fullest telling of each', () => {
    const span = spanOf(0, 50, 5, 8)
    const fuller = message(7, { id: 'i' })
    const fresh = span.insertAll([message(9), message(8), message(7), fuller, message(3), message(60), message(9)])
    expect(offsetsOf(fresh)).toEqual([3, 7, 9])
    expect(fresh[1]).toEqual(fuller)
    expect(offsetsOf(span.messages)).toEqual([3, 5, 7, 8, 9])
  })
})

describe('a page of what lies before', () => {
  test('lowers the floor to just below its first message while there is more', () => {
    const span = spanOf(100, Infinity, 101)
    prepend(span, page([60, 80, 100], true))
    expect(span).toMatchObject({ floor: 59, older: true })
    expect(offsetsOf(span.messages)).toEqual([60, 80, 100, 101])
  })

  test('that is the last one reaches down to the beginning', () => {
    const span = new Span(100)
    prepend(span, page([60], false))
    expect(span).toMatchObject({ floor: 0, older: false, ceiling: Infinity })
  })

  test('may overlap, and come again, later than others as well', () => {
    const span = spanOf(100, Infinity, 101, 102)
    prepend(span, page([90, 101], true))
    prepend(span, page([70, 80], true))
    prepend(span, page([90, 101], true))
    expect(span).toMatchObject({ floor: 69, older: true })
    prepend(span, page([50], false))
    prepend(span, page([70, 80], true))
    expect(span).toMatchObject({ floor: 0, older: false })
    expect(offsetsOf(span.messages)).toEqual([50, 70, 80, 90, 101, 102])
  })

  test('that is empty and promises more ends the asking, and claims nothing', () => {
    const span = new Span(100)
    prepend(span, page([], true))
    expect(span).toMatchObject({ floor: 100, older: false })
  })

  test('leaves out what is above the ceiling', () => {
    const span = new Span(100, 100)
    prepend(span, page([90, 100, 110], true))
    expect(offsetsOf(span.messages)).toEqual([90, 100])
  })

  test('from the first offset there is leaves nothing older', () => {
    const span = new Span(5)
    prepend(span, page([1, 2], true))
    expect(span).toMatchObject({ floor: 0, older: false })
  })
})

describe('a page that was asked for before the span was cut', () => {
  test('and does not reach up to its floor any more is left out', () => {
    const span = spanOf(10, Infinity, 11, 12, 13, 14)
    span.trim(2)
    span.prepend(page([8, 9, 10], true), 11)
    span.prepend(page([9], false), 11)
    expect(span).toMatchObject({ floor: 12, older: true })
    expect(offsetsOf(span.messages)).toEqual([13, 14])
  })

  test('or down to its ceiling', () => {
    const span = spanOf(0, Infinity, 1, 2, 3, 4, 5, 6)
    span.detach(2)
    span.append(page([7], false), 6)
    expect(span).toMatchObject({ ceiling: 2, newer: true })
  })
})

describe('a span that lets go of the present', () => {
  test('goes on as another one, with a gap that has to be read', () => {
    const span = spanOf(0, Infinity, 1, 2, 3, 4, 5, 6)
    const rest = span.detach(2)
    expect([offsetsOf(span.messages), offsetsOf(rest.messages)]).toEqual([[1, 2], [5, 6]])
    expect(rest).toMatchObject({ floor: 4, older: true, ceiling: Infinity, newer: false })
    expect(span.join(rest)).toBe(false)
    append(span, page([3, 4], true))
    expect(span.join(rest)).toBe(true)
    expect(offsetsOf(span.messages)).toEqual([1, 2, 3, 4, 5, 6])
  })
})

describe('a page of what lies after', () => {
  test('raises the ceiling to its last message while there is more', () => {
    const span = spanOf(50, 100, 100)
    append(span, page([110, 130], true))
    expect(span).toMatchObject({ ceiling: 130, newer: true, floor: 50 })
    expect(offsetsOf(span.messages)).toEqual([100, 110, 130])
  })

  test('that is the last one reaches up to the present', () => {
    const span = new Span(50, 100)
    append(span, page([], false))
    expect(span).toMatchObject({ ceiling: Infinity, newer: false })
    expect(insert(span, message(5_000))).toBe(true)
  })

  test('may come again', () => {
    const span = new Span(50, 100)
    for (let i = 0; i < 2; i++) append(span, page([110, 130], true))
    expect(span).toMatchObject({ ceiling: 130, newer: true })
    append(span, page([140], false))
    append(span, page([110, 130], true))
    expect(span).toMatchObject({ ceiling: Infinity, newer: false })
    expect(offsetsOf(span.messages)).toEqual([110, 130, 140])
  })

  test('that is empty and promises more ends the asking, and is not taken for the present', () => {
    const span = new Span(50, 100)
    append(span, page([], true))
    expect(span).toMatchObject({ ceiling: 100, newer: false })
  })
})

describe('trimming', () => {
  test('lets go of the oldest, which are older ones to load from then on', () => {
    const span = new Span(0)
    span.insertAll([1, 4, 6, 9].map((offset) => message(offset)))
    expect(span.older).toBe(false)
    span.trim(2)
    expect(span).toMatchObject({ floor: 4, older: true })
    expect(offsetsOf(span.messages)).toEqual([6, 9])
    expect(insert(span, message(4))).toBe(false)
    span.trim(0)
    expect(span).toMatchObject({ floor: 9, messages: [] })
  })

  test('leaves what is not too much as it is', () => {
    const span = spanOf(0, Infinity, 1, 2)
    const before = span.messages
    span.trim(2)
    expect(span).toMatchObject({ floor: 0, older: false })
    expect(span.messages).toBe(before)
  })
})

describe('joining', () => {
  test('takes in a span that it reaches up to, and whatever lies above', () => {
    const past = spanOf(10, 100, 20, 100)
    expect(past.join(spanOf(100, Infinity, 101, 200))).toBe(true)
    expect(past).toMatchObject({ floor: 10, ceiling: Infinity, older: true, newer: false })
    expect(offsetsOf(past.messages)).toEqual([20, 100, 101, 200])
  })

  test('changes nothing if there is a gap, on either side', () => {
    const span = spanOf(10, 100, 20)
    expect(span.join(spanOf(101, Infinity, 102))).toBe(false)
    expect(span.join(spanOf(0, 9, 5))).toBe(false)
    expect(span).toMatchObject({ floor: 10, ceiling: 100, newer: true })
    expect(offsetsOf(span.messages)).toEqual([20])
  })

  test('of overlapping spans has each message once, and the wider bounds', () => {
    const span = spanOf(50, 100, 60, 80, 100)
    expect(span.join(spanOf(0, 90, 30, 60, 80, 90))).toBe(true)
    expect(span).toMatchObject({ floor: 0, ceiling: 100, older: false, newer: true })
    expect(offsetsOf(span.messages)).toEqual([30, 60, 80, 90, 100])
  })
})

test('whatever comes in whatever order, a span holds exactly what the conversation has between its ends', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = chance(seed)
    const log: Message[] = []
    const say = () => log.push(message((log.at(-1)?.offset ?? 0) + 1 + below(4, random)))
    for (let n = below(60, random); n > 0; n--) say()
    const middle = below((log.at(-1)?.offset ?? 0) + 1, random)
    const span = new Span(middle, random() < 0.5 ? middle : Infinity)
    span.insertAll(log) // nothing, or what is above
    for (let step = 0; step < 60; step++) {
      const limit = 1 + below(7, random)
      const older = log.filter(({ offset }) => offset <= span.floor)
      const newer = log.filter(({ offset }) => offset > span.ceiling)
      const kind = below(5, random)
      if (kind === 0) prepend(span, { messages: older.slice(-limit), more: older.length > limit })
      if (kind === 1) append(span, { messages: newer.slice(0, limit), more: newer.length > limit })
      if (kind === 2) span.trim(below(30, random))
      if (kind === 3) say()
      span.insertAll(kind === 3 ? log.slice(-1) : [...log].reverse().slice(0, below(5, random)))
      const held = log.filter(({ offset }) => offset > span.floor && offset <= span.ceiling)
      expect(offsetsOf(span.messages), `seed ${seed}, step ${step}`).toEqual(offsetsOf(held))
      expect(span.older || !log.some(({ offset }) => offset <= span.floor)).toBe(true)
      expect(span.newer).toBe(span.ceiling !== Infinity)
    }
  }
})
