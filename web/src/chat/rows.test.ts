import { describe, expect, test } from 'vitest'

import type { Message } from '../tidemark'
import { type Chunk, chunksOf, type Row, type RowOptions, rowsOf } from './rows'
import { below, chance, message } from './samples'

const me = { userID: 'me' }

/** 21 November 2026 on the viewer's clock, or so many days later. */
function at(time: string, days = 0): string {
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number)
  return new Date(2026, 10, 21 + days, hours, minutes, seconds).toISOString()
}

function said(offset: number, from: string | undefined, when?: string, days = 0): Message {
  return message(offset, { ...(from === undefined ? {} : { from }), ...(when === undefined ? {} : { at: at(when, days) }) })
}

/** `21`, `new`, `#5 own continued`. */
function inShort(rows: readonly Row[]): string[] {
  return rows.map((row) => {
    if (row.kind === 'day') return String(row.date.getDate())
    if (row.kind === 'new') return 'new'
    return `#${row.message.offset}${row.own ? ' own' : ''}${row.continued ? ' continued' : ''}`
  })
}

describe('rows', () => {
  test('a day begins at midnight of the viewer', () => {
    const rows = rowsOf([said(1, 'ana', '23:59:59'), said(2, 'ana', '00:00:01', 1), said(3, 'ana', '00:01', 3)], me)
    expect(inShort(rows)).toEqual(['21', '#1', '22', '#2', '24', '#3'])
    expect(rows[2]).toMatchObject({ kind: 'day', date: new Date(2026, 10, 22) })
  })

  test('what the same author says within five minutes of the row before is continued', () => {
    const rows = rowsOf([
      said(1, 'ana', '12:00'), said(2, 'ana', '12:05'), said(3, 'ana', '12:10:01'), said(4, 'me', '12:10:02'), said(5, 'me', '12:11'),
      said(6, 'ana', '12:11'),
    ], me)
    expect(inShort(rows)).toEqual(['21', '#1', '#2 continued', '#3', '#4 own', '#5 own continued', '#6'])
  })

  test('guests go by their nickname; of those without one nobody knows who is who', () => {
    const guest = (offset: number, username?: string) => message(offset, { at: at('12:00'), ...(username === undefined ? {} : { username }) })
    const rows = rowsOf([guest(1, 'ana'), guest(2, 'ana'), guest(3), guest(4), said(5, 'ana', '12:00')], { userID: undefined })
    expect(inShort(rows)).toEqual(['21', '#1', '#2 continued', '#3', '#4', '#5'])
  })

  test('a message without a time is of the day before it, and goes on', () => {
    const rows = rowsOf([said(1, 'ana'), said(2, 'ana'), said(3, 'ana', '12:00'), said(4, 'ana'), said(5, 'ana', '12:01')], me)
    expect(inShort(rows)).toEqual(['#1', '#2 continued', '21', '#3', '#4 continued', '#5'])
  })

  test('a time that is none counts as none', () => {
    expect(inShort(rowsOf([message(1, { at: 'soon' })], me))).toEqual(['#1'])
  })

  test('"new" stands once, before the first message of others after the offset', () => {
    const messages = [said(1, 'ana', '12:00'), said(4, 'me', '12:01'), said(5, 'ana', '12:01'), said(6, 'ana', '12:01')]
    const withNew = (newAfter: number | undefined) => inShort(rowsOf(messages, { ...me, newAfter }))
    expect(withNew(1)).toEqual(['21', '#1', '#4 own', 'new', '#5', '#6 continued'])
    expect(withNew(5)).toEqual(['21', '#1', '#4 own', '#5', 'new', '#6'])
    expect(withNew(0)).toEqual(['21', 'new', '#1', '#4 own', '#5', '#6 continued'])
    for (const nothing of [6, undefined]) expect(withNew(nothing)).not.toContain('new')
  })

  test('keys are unique, even if clocks go back over midnight', () => {
    const rows = rowsOf([said(1, 'a', '23:59'), said(2, 'a', '00:00', 1), said(3, 'a', '23:59'), said(4, 'a', '00:00', 1)], { newAfter: 3 })
    expect(inShort(rows)).toEqual(['21', '#1', '22', '#2', '21', '#3', '22', 'new', '#4'])
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length)
  })
})

/** Messages from one offset to another, two minutes apart, by three people in turn. */
function talk(from: number, to: number): Message[] {
  const messages: Message[] = []
  for (let offset = from; offset <= to; offset++) {
    const time = new Date(2026, 10, 1, 0, 2 * offset).toISOString()
    messages.push(message(offset, { from: ['me', 'ana', 'ana', 'boris'][offset % 4] ?? '', at: time }))
  }
  return messages
}

function expectSame(chunks: readonly Chunk[], messages: readonly Message[], options: RowOptions): void {
  // As text: toEqual takes seconds for so many.
  expect(JSON.stringify(chunks.flatMap(({ rows }) => rows))).toBe(JSON.stringify(rowsOf(messages, options)))
  expect(new Set(chunks.map(({ key }) => key)).size).toBe(chunks.length)
}

/** How many of the chunks are not among the previous ones. */
function changed(chunks: readonly Chunk[], previous: readonly Chunk[]): number {
  const known = new Set(previous)
  return chunks.filter((chunk) => !known.has(chunk)).length
}

describe('chunks', () => {
  test('of ten thousand messages have about fifty each', () => {
    const messages = talk(1, 10_000)
    const chunks = chunksOf(messages, me)
    expectSame(chunks, messages, me)
    expect(chunks).toHaveLength(200)
  })

  test('of the same are the same, even if the array is another', () => {
    const messages = talk(1, 500)
    const chunks = chunksOf(messages, me)
    expect(changed(chunksOf([...messages], { ...me }, chunks), chunks)).toBe(0)
  })

  test('there are none of nothing', () => {
    expect(chunksOf([], me)).toEqual([])
    expect(chunksOf([], me, chunksOf(talk(1, 70), me))).toEqual([])
  })

  test('each message that is said changes the last chunk, or makes a new one', () => {
    let messages = talk(1, 100)
    let chunks = chunksOf(messages, me)
    for (let offset = 101; offset <= 400; offset++) {
      messages = [...messages, ...talk(offset, offset)]
      const next = chunksOf(messages, me, chunks)
      expect(changed(next, chunks)).toBe(1)
      expect(next.slice(0, -1).every((chunk, i) => chunk === chunks[i])).toBe(true)
      chunks = next
    }
    expectSame(chunks, messages, me)
    expect(chunks).toHaveLength(8)
  })

  test('a page before leaves all others alone, but the one that it ends in front of', () => {
    let messages = talk(5_001, 5_120)
    let chunks = chunksOf(messages, me)
    for (let from = 4_951; from > 0; from -= 50) {
      messages = [...talk(from, from + 49), ...messages]
      const next = chunksOf(messages, me, chunks)
      expect(next).toHaveLength(chunks.length + 1)
      expect(next.slice(2).every((chunk, i) => chunk === chunks[i + 1])).toBe(true)
      expect(next[1]?.key).toBe(chunks[0]?.key)
      chunks = next
    }
    expectSame(chunks, messages, me)
  })

  test('a page before that changes nothing in the row after it leaves every chunk alone', () => {
    const messages = [said(100, 'ana', '12:00', 1), said(101, 'boris', '12:01', 1)]
    const chunks = chunksOf(messages, me)
    const next = chunksOf([said(99, 'me', '12:00'), ...messages], me, chunks)
    expect(next[1]).toBe(chunks[0])
  })

  test('in a chunk that has changed, rows that have not are the same objects', () => {
    const messages = talk(1, 20)
    const [before] = chunksOf(messages, me)
    const [after] = chunksOf([...messages, ...talk(21, 21)], me, before === undefined ? [] : [before])
    expect(after).not.toBe(before)
    expect(after?.key).toBe(before?.key)
    expect(before?.rows.every((row, i) => row === after?.rows[i])).toBe(true)
  })

  test('a message told more fully changes its own chunk', () => {
    const messages = talk(1, 500)
    const chunks = chunksOf(messages, me)
    const fuller = messages.map((one) => (one.offset === 250 ? { ...one, id: 'i' } : one))
    const next = chunksOf(fuller, me, chunks)
    expectSame(next, fuller, me)
    expect(changed(next, chunks)).toBe(1)
  })

  test('the row "new" changes the chunks that it comes into and goes from', () => {
    const messages = talk(1, 500)
    const chunks = chunksOf(messages, me)
    const withNew = chunksOf(messages, { ...me, newAfter: 120 }, chunks)
    expect(changed(withNew, chunks)).toBe(1)
    expect(changed(chunksOf(messages, { ...me, newAfter: 420 }, withNew), withNew)).toBe(2)
  })

  test('letting go of the oldest changes the chunk that loses some', () => {
    const messages = talk(1, 500)
    const chunks = chunksOf(messages, me)
    const rest = messages.slice(120)
    const next = chunksOf(rest, me, chunks)
    expectSame(next, rest, me)
    expect(changed(next, chunks)).toBe(1)
    expect(next[0]?.key).toBe(chunks[2]?.key)
  })

  test('letting go of some of the only chunk leaves its key', () => {
    const chunks = chunksOf(talk(1, 40), me)
    const next = chunksOf(talk(11, 40), me, chunks)
    expect(next.map(({ key }) => key)).toEqual(chunks.map(({ key }) => key))
  })

  test('for somebody else have others as their own', () => {
    const messages = talk(1, 120)
    const next = chunksOf(messages, { userID: 'ana' }, chunksOf(messages, me))
    expectSame(next, messages, { userID: 'ana' })
  })

  test.each([
    ['another author at the same time', said(51, 'ana', '12:00'), said(52, 'ana', '12:01')],
    ['the same author later', said(51, 'boris', '12:03'), said(52, 'boris', '12:05:30')],
  ])('a message between two chunks, by %s, tells whether the second is continued', (_, between, after) => {
    const first = Array.from({ length: 50 }, (_, i) => said(i + 1, 'boris', '12:00'))
    const second = [after, said(53, 'carla', '12:06')]
    const chunks = chunksOf([...first, ...second], me)
    expect(chunks).toHaveLength(2)
    const messages = [...first, between, ...second]
    const next = chunksOf(messages, me, chunks)
    expectSame(next, messages, me)
    expect(next[1]?.rows[0]).toMatchObject({ continued: true })
    expect(chunks[1]?.rows[0]).toMatchObject({ continued: false })
  })

  test('a chunk that grows in the middle does not grow without end', () => {
    const ends = [...talk(1, 50), ...talk(10_001, 10_060)]
    const chunks = chunksOf(ends, me)
    const all = talk(1, 10_060)
    const next = chunksOf(all, me, chunks)
    expectSame(next, all, me)
    expect(Math.max(...next.map(({ rows }) => rows.length))).toBeLessThan(120)
  })

  test('of another part, or another conversation, are right whatever was there before', () => {
    const chunks = chunksOf(talk(1_000, 1_400), me)
    for (const messages of [talk(1, 300), talk(5_000, 5_300), talk(900, 1_100), talk(1_100, 1_200)]) {
      expectSame(chunksOf(messages, me, chunks), messages, me)
    }
    const others = talk(1_000, 1_400).map((one) => ({ ...one, from: 'carla' }))
    expectSame(chunksOf(others, me, chunks), others, me)
  })

  test('previous ones that were not made here do no harm', () => {
    const messages = talk(1, 120)
    expectSame(chunksOf(messages, me, [{ key: 'from 1', rows: [] }]), messages, me)
  })

  test('have the rows of all messages, whatever happens, and change no more than what has happened', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = chance(seed)
      const all = talk(1, 1_200).filter(() => random() < 0.5).map((one) => {
        if (random() > 0.2) return one
        const { at: _at, ...untimed } = one
        return untimed
      })
      let [low, high] = [300, 360]
      let options: RowOptions = me
      let chunks: Chunk[] = []
      for (let step = 0; step < 40; step++) {
        const kind = below(5, random)
        if (kind === 0) low = Math.max(0, low - below(60, random))
        if (kind === 1) high = Math.min(all.length, high + below(3, random))
        if (kind === 2 && high - low > 200) low += below(40, random)
        if (kind === 3) options = { ...me, newAfter: below(1_200, random) }
        if (kind === 4) options = me
        const messages = all.slice(low, high)
        const next = chunksOf(messages, options, chunks)
        expectSame(next, messages, options)
        // A page of up to two pieces and the chunk after it, or the row "new" here and there.
        if (step > 0) expect(changed(next, chunks), `seed ${seed}, step ${step}`).toBeLessThanOrEqual(4)
        expect(Math.max(...next.map(({ rows }) => rows.filter(({ kind }) => kind === 'message').length))).toBeLessThanOrEqual(100)
        chunks = next
      }
    }
  })
})
