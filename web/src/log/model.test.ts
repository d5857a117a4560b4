import { expect, test } from 'vitest'

import { LogModel, most } from './model'
import type { LogEvent, LogState } from './parse'
import { seconds } from './rates'

const start = Date.parse('2026-11-21T20:00:00Z')

function state(last: number, epoch = 'e', time = start): LogState {
  return { epoch, first: 1, last, position: last, time }
}

function event(offset: number, at = start): LogEvent {
  return { offset, at, type: 'message.posted', conversation: 'room/general', bytes: 1, digest: '', missing: 0, kind: 'message' }
}

test('only the newest are kept, the newest first', () => {
  const model = new LogModel()
  model.begin(state(0), true)
  for (let offset = 1; offset <= 10_000; offset++) model.event(event(offset))
  const { events, seen, state: head } = model.snapshot()
  expect(events).toHaveLength(most)
  expect([events[0]?.offset, events.at(-1)?.offset, seen]).toEqual([10_000, 10_000 - most + 1, 10_000])
  expect(head?.last).toBe(10_000)
})

test('a stream that goes on keeps what was there, a fresh one does not', () => {
  const model = new LogModel()
  model.begin(state(1), true)
  model.event(event(1))
  model.notary({ is: 'none' })
  model.begin(state(1), false)
  expect(model.snapshot()).toMatchObject({ seen: 1, signed: { is: 'none' } })
  model.begin(state(0, 'other'), true)
  expect(model.snapshot()).toMatchObject({ events: [], seen: 0, signed: undefined, state: { epoch: 'other' } })
})

test('events that are left out of a flowing stream count in the second they came in, those from before it do not', () => {
  const model = new LogModel()
  model.begin(state(100), true)
  model.skip(50)
  model.event(event(51))
  model.skip(9)
  model.event(event(61, start + 1000))
  const { rates, skipped } = model.snapshot()
  expect(rates.slice(-2)).toEqual([1, 10])
  expect(skipped).toBe(59)
})

test('the pace is of the last two minutes by the log\'s time', () => {
  const model = new LogModel()
  model.begin(state(0), true)
  model.event(event(1, start - seconds * 1000))
  model.event(event(2, start - (seconds - 1) * 1000))
  model.event(event(3, start))
  model.event(event(4, Number.NaN))
  const { rates } = model.snapshot()
  expect(rates).toHaveLength(seconds)
  expect(rates[0]).toBe(1)
  expect(rates.at(-1)).toBe(1)
  expect(rates.reduce((a, b) => a + b, 0)).toBe(2)
  model.head(state(4, 'e', start + 1000))
  expect(model.snapshot().rates.slice(-2)).toEqual([1, 0])
})

test('what is kept of the pace is bounded, and a clock that is set back does not stop it', () => {
  const model = new LogModel()
  model.begin(state(0), true)
  for (let i = 0; i < 5000; i++) model.event(event(i + 1, start + i * 1000))
  expect(model.snapshot().rates.reduce((a, b) => a + b, 0)).toBe(seconds)
  for (let i = 0; i < 5000; i++) model.event(event(5001 + i, start - 1e9 + i * 1000))
  expect((model as unknown as { rates: { counts: Map<number, number> } }).rates.counts.size).toBeLessThanOrEqual(2 * seconds)
})
