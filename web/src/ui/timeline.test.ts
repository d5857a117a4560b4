import { describe, expect, test } from 'vitest'

import type { OutboxEntry } from '../tidemark'
import { Timeline } from './timeline'

const message = (offset: number) => ({ content: `m${offset}`, offset })
const offsets = (timeline: Timeline) => timeline.messages.map(({ offset }) => offset)
const waiting = (timeline: Timeline) => timeline.waiting.map(({ content }) => content)

function entry(id: number, more: Partial<OutboxEntry> = {}): OutboxEntry {
  return { id, content: `e${id}`, state: 'pending', ...more }
}

describe("one's own message", () => {
  test('waits below the log in the order of typing', () => {
    const timeline = new Timeline()
    timeline.update(entry(1))
    timeline.update(entry(2))
    timeline.update(entry(1, { refusal: { code: 'rate_limited', message: '' } }))
    expect(waiting(timeline)).toEqual(['e1', 'e2'])
  })

  test('takes its place when the ack comes first', () => {
    const timeline = new Timeline()
    timeline.update(entry(1))
    timeline.update(entry(1, { state: 'sent', offset: 7 }))
    timeline.add(message(6))
    expect(waiting(timeline)).toEqual(['e1'])
    timeline.add(message(7))
    expect(waiting(timeline)).toEqual([])
    expect(timeline.messages.map((shown) => timeline.isOwn(shown))).toEqual([false, true])
  })

  test('takes its place when the message comes first', () => {
    const timeline = new Timeline()
    timeline.update(entry(1))
    timeline.add(message(7))
    timeline.add(message(8))
    timeline.update(entry(1, { state: 'sent', offset: 7 }))
    expect(waiting(timeline)).toEqual([])
    expect(timeline.messages.map((shown) => timeline.isOwn(shown))).toEqual([true, false])
  })

  test('stays below when it was refused', () => {
    const timeline = new Timeline()
    timeline.update(entry(1, { state: 'refused', refusal: { code: 'too_large', message: '' } }))
    timeline.add(message(1))
    timeline.reset()
    expect(waiting(timeline)).toEqual(['e1'])
  })
})

test('another log clears all but what is still to be sent', () => {
  const timeline = new Timeline()
  timeline.add(message(1))
  timeline.update(entry(1))
  timeline.update(entry(2, { state: 'sent', offset: 4 }))
  timeline.reset()
  timeline.add(message(4))
  expect(waiting(timeline)).toEqual(['e1'])
  expect(timeline.messages.map((shown) => timeline.isOwn(shown))).toEqual([false])
})

test('a long history keeps its newest messages', () => {
  const timeline = new Timeline(4)
  for (let offset = 1; offset <= 12; offset++) timeline.add(message(offset))
  expect(offsets(timeline)).toEqual([9, 10, 11, 12])
  expect(timeline.omitted).toBe(8)
})
