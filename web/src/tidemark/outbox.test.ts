import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import type { Ack } from './contract'
import { Outbox } from './outbox'

const ackTimeoutMs = 10_000

function setUp() {
  const sent: { content: string; key: string; answer: (ack: Ack | undefined) => void }[] = []
  const changed: string[] = []
  const outbox = new Outbox({
    ackTimeoutMs,
    transmit: (content, key, answer) => sent.push({ content, key, answer }),
    changed: (entry) => changed.push(`${entry.content}: ${entry.state}`),
  })
  const transmitted = () => sent.map(({ content, key }) => `${content} ${key}`)
  const answer = (index: number, ack: Ack | undefined) => sent[index]!.answer(ack)
  return { outbox, sent, changed, transmitted, answer }
}

const stored = (offset: number): Ack => ({ ok: true, offset })
const refused = (code: string, more = {}): Ack => ({ ok: false, error: { code, message: 'no', ...more } })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  expect(vi.getTimerCount()).toBeLessThanOrEqual(1)
  vi.useRealTimers()
})

describe('keys', () => {
  test('are given at the first transmission, from the id of that connection', () => {
    const { outbox, transmitted } = setUp()
    const entry = outbox.add('a')
    expect(entry.key).toBeUndefined()
    expect(transmitted()).toEqual([])
    outbox.connected('s1')
    expect(transmitted()).toEqual(['a s1-1'])
  })

  test('stay, over later connections', () => {
    const { outbox, transmitted } = setUp()
    outbox.connected('s1')
    outbox.add('a')
    outbox.add('b')
    outbox.disconnected()
    outbox.connected('s2')
    expect(transmitted()).toEqual(['a s1-1', 'a s1-1'])
  })

  test('are of the later connection for what had to wait until then', () => {
    const { outbox, transmitted, answer } = setUp()
    outbox.connected('s1')
    outbox.add('a')
    outbox.add('b')
    outbox.disconnected()
    outbox.connected('s2')
    answer(1, stored(1))
    expect(transmitted()).toEqual(['a s1-1', 'a s1-1', 'b s2-2'])
  })
})

describe('transmission', () => {
  test('is one after another, in order', () => {
    const { outbox, transmitted, answer, changed } = setUp()
    outbox.connected('s')
    for (const content of ['a', 'b', 'c']) outbox.add(content)
    expect(transmitted()).toEqual(['a s-1'])
    answer(0, stored(5))
    answer(1, stored(6))
    answer(2, stored(7))
    expect(transmitted()).toEqual(['a s-1', 'b s-2', 'c s-3'])
    expect(changed.slice(3)).toEqual(['a: sent', 'b: sent', 'c: sent'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is repeated until there is an ack, without giving up', () => {
    const { outbox, sent, answer } = setUp()
    outbox.connected('s')
    const entry = outbox.add('a')
    vi.advanceTimersByTime(ackTimeoutMs - 1)
    expect(sent).toHaveLength(1)
    vi.advanceTimersByTime(1 + 9 * ackTimeoutMs)
    expect(sent).toHaveLength(11)
    answer(10, stored(3))
    expect(entry).toMatchObject({ state: 'sent', offset: 3 })
    vi.advanceTimersByTime(ackTimeoutMs)
    expect(sent).toHaveLength(11)
  })

  test('waits for a connection', () => {
    const { outbox, sent } = setUp()
    outbox.connected('s')
    outbox.add('a')
    outbox.disconnected()
    vi.advanceTimersByTime(5 * ackTimeoutMs)
    expect(sent).toHaveLength(1)
  })
})

describe('acks', () => {
  test('count however late they are, and once', () => {
    const { outbox, sent, changed, answer } = setUp()
    outbox.connected('s')
    const entry = outbox.add('a')
    vi.advanceTimersByTime(ackTimeoutMs)
    answer(0, stored(8))
    answer(1, stored(8))
    answer(1, refused('forbidden'))
    expect(sent).toHaveLength(2)
    expect(entry).toMatchObject({ state: 'sent', offset: 8 })
    expect(changed).toEqual(['a: pending', 'a: sent'])
  })

  test('of no known shape are no acks', () => {
    const { outbox, sent, answer } = setUp()
    outbox.connected('s')
    const entry = outbox.add('a')
    answer(0, undefined)
    expect(entry.state).toBe('pending')
    vi.advanceTimersByTime(ackTimeoutMs)
    expect(sent).toHaveLength(2)
  })

  test('that refuse settle the message with the reason and let the next one go', () => {
    const { outbox, transmitted, answer } = setUp()
    outbox.connected('s')
    const entry = outbox.add('a')
    outbox.add('b')
    answer(0, refused('too_large'))
    expect(entry).toMatchObject({ state: 'refused', refusal: { code: 'too_large' } })
    expect(transmitted()).toEqual(['a s-1', 'b s-2'])
  })

  test('are not needed for a message that came back with its key', () => {
    const { outbox, transmitted, answer } = setUp()
    outbox.connected('s')
    const entry = outbox.add('a')
    outbox.add('b')
    outbox.seen('other-1', 8)
    expect(entry.state).toBe('pending')
    outbox.seen('s-1', 9)
    expect(entry).toMatchObject({ state: 'sent', offset: 9 })
    expect(transmitted()).toEqual(['a s-1', 'b s-2'])
    answer(0, stored(9))
    expect(transmitted()).toHaveLength(2)
  })
})

describe('a rate limit', () => {
  test('is waited for as long as it says, and nothing overtakes', () => {
    const { outbox, transmitted, answer } = setUp()
    outbox.connected('s')
    const entry = outbox.add('a')
    outbox.add('b')
    answer(0, refused('rate_limited', { retryAfterMs: 400 }))
    expect(entry).toMatchObject({ state: 'pending', refusal: { code: 'rate_limited' } })
    vi.advanceTimersByTime(399)
    expect(transmitted()).toEqual(['a s-1'])
    vi.advanceTimersByTime(1)
    expect(transmitted()).toEqual(['a s-1', 'a s-1'])
    answer(1, stored(2))
    expect(entry.refusal).toBeUndefined()
    expect(transmitted()).toEqual(['a s-1', 'a s-1', 'b s-2'])
  })

  test.each([[undefined, 1_000], [0, 50], [1e12, 60_000]])('of %j ms is taken as %d ms', (retryAfterMs, wait) => {
    const { outbox, sent, answer } = setUp()
    outbox.connected('s')
    outbox.add('a')
    answer(0, refused('rate_limited', retryAfterMs === undefined ? {} : { retryAfterMs }))
    vi.advanceTimersByTime(wait - 1)
    expect(sent).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(sent).toHaveLength(2)
  })

  test('that becomes known after the connection is lost starts no timer', () => {
    const { outbox, answer } = setUp()
    outbox.connected('s')
    outbox.add('a')
    outbox.disconnected()
    answer(0, refused('rate_limited', { retryAfterMs: 100 }))
    expect(vi.getTimerCount()).toBe(0)
  })
})
