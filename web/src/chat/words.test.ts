import { describe, expect, test } from 'vitest'

import { RequestError, type ConnectionState, type OutboxEntry, type Progress } from '../tidemark'
import {
  asOfWords, dayLabel, discontinuityWords, failureWords, momentLabel, numberLabel, refusalWords, shareOf, stateWords, timeLabel,
  typingWords, waitingWords,
} from './words'

describe('the connection', () => {
  const state = (phase: ConnectionState['phase'], retrying = true, reason?: string): ConnectionState =>
    reason === undefined ? { phase, retrying } : { phase, retrying, reason }

  test.each<[ConnectionState, string]>([
    [state('connecting'), 'Connecting…'],
    [state('catching up'), 'Catching up…'],
    [state('live'), 'Live'],
    [state('offline'), 'Offline – trying again'],
    [state('offline', true, 'timeout'), 'Offline – trying again'],
    [state('offline', false, 'invalid username'), 'Offline: invalid username'],
    [state('offline', false), 'Offline'],
    [state('offline', false, ''), 'Offline'],
  ])('%j is "%s"', (given, words) => {
    expect(stateWords(given, undefined, 'en')).toBe(words)
  })

  const progress = (offset: number, count: number, head?: number): Progress =>
    head === undefined ? { from: 1_000, offset, count } : { from: 1_000, offset, count, head }

  test.each<[Progress, string]>([
    [progress(2_240, 1_234, 3_000), 'Catching up… 1,234 messages, 62 %'],
    [progress(1_999, 1, 2_000), 'Catching up… 1 message, 99 %'],
    [progress(1_000, 0, 2_000), 'Catching up… 0 messages, 0 %'],
    [progress(2_010, 900, 2_000), 'Catching up… 900 messages, 100 %'],
    [progress(1_500, 300), 'Catching up…'],
  ])('catching up at %j is "%s"', (given, words) => {
    expect(stateWords(state('catching up'), given, 'en')).toBe(words)
  })

  test('figures are only of a replay under way', () => {
    expect(stateWords(state('live'), progress(1_500, 3, 2_000), 'en')).toBe('Live')
  })

  test.each([
    [progress(1_500, 3, 2_000), 0.5], [progress(900, 3, 2_000), 0], [progress(1_000, 0, 1_000), 1], [progress(1_500, 3), undefined],
    [undefined, undefined],
  ])('the share of %j is %s', (given, share) => {
    expect(shareOf(given)).toBe(share)
  })
})

describe('a message of one\'s own', () => {
  test.each<[Partial<OutboxEntry>, string]>([
    [{ state: 'pending' }, 'Sending…'],
    [{ state: 'pending', waitsFor: 'ack' }, 'Sending…'],
    [{ state: 'pending', waitsFor: 'turn' }, 'Sending…'],
    [{ state: 'pending', waitsFor: 'connection' }, 'Waiting for the connection'],
    [{ state: 'pending', waitsFor: 'retry' }, 'Trying again'],
    [{ state: 'pending', waitsFor: 'rate limit' }, 'Waiting: too fast'],
    [{ state: 'stored', offset: 5 }, 'Sent'],
    [{ state: 'refused', refusal: { code: 'too_large', message: 'content over 16384 bytes' } }, 'Not sent: too long'],
    [{ state: 'refused' }, 'Not sent: refused'],
  ])('%j is "%s"', (given, words) => {
    const entry: OutboxEntry = {
      key: 'k', conversation: { room: 'general' }, content: 'hello', typedAt: 0, state: 'pending', transmissions: 0, ...given,
    }
    expect(waitingWords(entry)).toBe(words)
  })

  test.each([
    ['forbidden', 'x', 'not allowed'],
    ['rate_limited', 'x', 'too fast'],
    ['unknown_recipient', 'x', 'there is no such person'],
    ['key_conflict', 'x', 'something else was sent in its place'],
    ['invalid_payload', 'content must not be empty', 'content must not be empty'],
    ['later_code', '', 'later_code'],
    ['', '', 'refused'],
  ])('refused with %s, %j: "%s"', (code, message, words) => {
    expect(refusalWords({ code, message })).toBe(words)
  })
})

test.each([
  [[], ''],
  [['Ana'], 'Ana is typing…'],
  [['Ana', 'Boris'], 'Ana and Boris are typing…'],
  [['Ana', 'Boris', 'Carla'], 'Several people are typing…'],
])('%j: "%s"', (names, words) => {
  expect(typingWords(names)).toBe(words)
})

test.each([
  [{ reset: true, reason: 'epoch_changed' }, 'The chat has begun anew; what was shown before is no longer part of it.'],
  [{ reset: true, reason: 'trimmed' }, 'The chat has begun anew; what was shown before is no longer part of it.'],
  [{ reset: false, reason: 'trimmed' }, 'Some older messages are no longer kept, and are missing here.'],
  [{ reset: false, reason: 'other' }, 'Some messages could not be recovered, and are missing here.'],
])('%j: "%s"', (what, words) => {
  expect(discontinuityWords(what)).toBe(words)
})

test.each([
  [new RequestError('offline', 'x'), 'There is no connection right now.'],
  [new RequestError('timeout', 'x'), 'The gateway has not answered in time.'],
  [new RequestError('rate_limited', 'x'), 'That was too fast; try again in a moment.'],
  [new RequestError('forbidden', 'x'), 'This is not allowed.'],
  [new RequestError('invalid_payload', 'limit must be positive'), 'limit must be positive'],
  [new Error(''), 'That did not work.'],
  [undefined, 'That did not work.'],
  ['thrown', 'That did not work.'],
])('%s could not be had: "%s"', (error, words) => {
  expect(failureWords(error)).toBe(words)
})

/** Some releases of the languages' tables have narrow spaces in times, where others have plain ones. */
const plain = (label: string) => label.replace(/\s/g, ' ')

describe('days', () => {
  const today = new Date(2026, 2, 29, 23, 30) // clocks went forward in Europe on this day

  test.each([
    [new Date(2026, 2, 29, 0, 0), 'Today'],
    [new Date(2026, 2, 28, 23, 59), 'Yesterday'],
    [new Date(2026, 2, 28, 0, 0), 'Yesterday'],
    [new Date(2026, 2, 27, 23, 59), 'Friday, 27 March 2026'],
    [new Date(2026, 2, 30, 0, 0), 'Monday, 30 March 2026'],
    [new Date(2025, 2, 29), 'Saturday, 29 March 2025'],
    [new Date(NaN), ''],
  ])('%s is "%s"', (date, label) => {
    expect(dayLabel(date, today, 'en-GB').replace(/^(\w+) /, '$1, ')).toBe(label)
  })

  test('are named in the language asked for', () => {
    expect(dayLabel(new Date(2026, 2, 27), today, 'de')).toBe('Freitag, 27. März 2026')
  })
})

test('times and numbers are written as is usual in the language', () => {
  const date = new Date(2026, 10, 21, 14, 30)
  expect(timeLabel(date, 'en-GB')).toBe('14:30')
  expect(plain(timeLabel(date, 'en-US'))).toBe('2:30 PM')
  expect(momentLabel(date, 'en-GB')).toBe('21 Nov 2026, 14:30')
  expect([numberLabel(1_234, 'en'), numberLabel(1_234, 'de')]).toEqual(['1,234', '1.234'])
  expect([timeLabel(new Date(NaN), 'en'), momentLabel(new Date(NaN), 'en')]).toEqual(['', ''])
})

test('what a conversation is shown as of has an offset, and a time if it is known', () => {
  expect(asOfWords(1_234, new Date(2026, 10, 21, 14, 30), 'en-GB')).toBe('As of offset 1,234, 21 Nov 2026, 14:30')
  expect(asOfWords(1_234, undefined, 'en')).toBe('As of offset 1,234')
  expect(asOfWords(1_234, new Date(NaN), 'en')).toBe('As of offset 1,234')
})
