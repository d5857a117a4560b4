import { describe, expect, test } from 'vitest'

import { general, type Message, type Recovery } from './contract'
import { Cursor } from './cursor'

const message = (offset: number): Message => ({ conversation: general, content: `m${offset}`, offset })
const recovery = (head: number, more: Partial<Recovery> = {}): Recovery => ({
  recovered: true, from: 0, head, count: 0, epoch: 'e1', ...more,
})

/** A cursor that has seen the offsets given, and is connected a second time. */
function returning(head: number, ...offsets: number[]): Cursor {
  const cursor = new Cursor()
  cursor.connected()
  for (const offset of offsets) cursor.message(message(offset))
  cursor.recovered(recovery(head))
  cursor.connected()
  return cursor
}

describe('where to resume', () => {
  test('is nowhere, for who knows nothing', () => {
    expect(new Cursor().place).toBeUndefined()
  })

  test('is the place that was kept', () => {
    expect(new Cursor({ offset: 7, epoch: 'e1' }).place).toEqual({ offset: 7, epoch: 'e1' })
  })

  test('is the highest of messages, watermarks and the head', () => {
    const cursor = new Cursor()
    cursor.connected()
    cursor.message(message(3))
    expect(cursor.place).toEqual({ offset: 3 })
    cursor.recovered(recovery(5))
    expect(cursor.place).toEqual({ offset: 5, epoch: 'e1' })
    cursor.watermark(9)
    cursor.watermark(8)
    expect(cursor.place?.offset).toBe(9)
    cursor.message(message(12))
    expect(cursor.place?.offset).toBe(12)
  })

  test('is the last message received, when a replay is cut off', () => {
    const cursor = returning(2, 1, 2)
    cursor.message(message(5))
    cursor.connected()
    expect(cursor.place).toEqual({ offset: 5, epoch: 'e1' })
  })

  test('does not follow a watermark inside a replay', () => {
    const cursor = returning(2, 1, 2)
    cursor.watermark(40)
    expect(cursor.place?.offset).toBe(2)
  })
})

describe('messages', () => {
  test('are new once, in a replay and live', () => {
    const cursor = new Cursor()
    cursor.connected()
    expect([1, 2, 2, 1, 4].map((offset) => cursor.message(message(offset)))).toEqual([true, true, false, false, true])
    cursor.recovered(recovery(4))
    expect([4, 5, 5, 3].map((offset) => cursor.message(message(offset)))).toEqual([false, true, false, false])
  })

  test('of a replay that repeats known ones are all shown, once its end shows that the log is the same', () => {
    const cursor = returning(2, 1, 2)
    expect([2, 3, 3, 4].map((offset) => cursor.message(message(offset)))).toEqual([false, false, false, false])
    const { reset, messages } = cursor.recovered(recovery(4))
    expect(reset).toBe(false)
    expect(messages.map(({ offset }) => offset)).toEqual([3, 4])
  })
})

describe('a replay that is announced', () => {
  test('from our place is of our log: what it brings is new at once, and what repeats is not', () => {
    const cursor = returning(7, 5, 7)
    cursor.announced(7)
    expect([8, 8, 3, 9].map((offset) => cursor.message(message(offset)))).toEqual([true, false, false, true])
    expect(cursor.recovered(recovery(9))).toEqual({ reset: false, messages: [] })
    expect(cursor.place).toEqual({ offset: 9, epoch: 'e1' })
  })

  test('from elsewhere may be of another log, and waits for its end', () => {
    const cursor = returning(7, 5, 7)
    cursor.announced(0)
    expect([1, 2].map((offset) => cursor.message(message(offset)))).toEqual([false, false])
    const { reset, messages } = cursor.recovered(recovery(2, { recovered: false, reason: 'epoch_changed', epoch: 'e2' }))
    expect(reset).toBe(true)
    expect(messages.map(({ offset }) => offset)).toEqual([1, 2])
  })
})

describe('another log', () => {
  test.each([
    ['epoch_changed', recovery(2, { recovered: false, reason: 'epoch_changed', epoch: 'e2' })],
    ['ahead_of_log', recovery(2, { recovered: false, reason: 'ahead_of_log' })],
    ['another epoch without a reason', recovery(2, { epoch: 'e2' })],
  ])('%s: starts over with what the replay brought', (_, end) => {
    const cursor = returning(7, 5, 7)
    expect(cursor.message(message(1))).toBe(false)
    expect(cursor.message(message(2))).toBe(false)
    const { reset, messages } = cursor.recovered(end)
    expect(reset).toBe(true)
    expect(messages.map(({ offset }) => offset)).toEqual([1, 2])
    expect(cursor.place).toEqual({ offset: 2, epoch: end.epoch })
  })

  test('whose first message is above the offset is shown again after the reset', () => {
    const cursor = returning(2, 1, 2)
    expect(cursor.message(message(3))).toBe(true)
    const { reset, messages } = cursor.recovered(recovery(3, { recovered: false, reason: 'epoch_changed', epoch: 'e2' }))
    expect(reset).toBe(true)
    expect(messages.map(({ offset }) => offset)).toEqual([3])
  })

  test('whose replay is cut off is asked for again with the old offset and epoch', () => {
    const cursor = returning(7, 5, 7)
    cursor.message(message(1))
    cursor.connected()
    expect(cursor.place).toEqual({ offset: 7, epoch: 'e1' })
  })

  test('is noticed by a cursor whose first replay was cut off before it knew the epoch', () => {
    const cursor = new Cursor()
    cursor.connected()
    cursor.message(message(8))
    cursor.connected()
    expect(cursor.message(message(1))).toBe(false)
    const { reset, messages } = cursor.recovered(recovery(1, { recovered: false, reason: 'ahead_of_log' }))
    expect(reset).toBe(true)
    expect(messages.map(({ offset }) => offset)).toEqual([1])
  })

  test('is nothing to someone who has seen none', () => {
    const cursor = new Cursor()
    cursor.connected()
    cursor.message(message(1))
    const end = recovery(1, { recovered: false, reason: 'epoch_changed' })
    expect(cursor.recovered(end)).toEqual({ reset: false, messages: [] })
    expect(cursor.place?.offset).toBe(1)
  })
})

test('another log is noticed by a cursor that was kept, too', () => {
  const cursor = new Cursor({ offset: 7, epoch: 'e1' })
  cursor.connected()
  expect(cursor.message(message(9))).toBe(true)
  const { reset, messages } = cursor.recovered(recovery(9, { recovered: false, reason: 'epoch_changed', epoch: 'e2' }))
  expect(reset).toBe(true)
  expect(messages.map(({ offset }) => offset)).toEqual([9])
})

test('a trimmed log is the same log: what is shown stays', () => {
  const cursor = returning(2, 1, 2)
  expect(cursor.message(message(9))).toBe(true)
  const end = recovery(9, { recovered: false, reason: 'trimmed' })
  expect(cursor.recovered(end)).toEqual({ reset: false, messages: [] })
})
