import { describe, expect, test } from 'vitest'

import { below, chance, message } from './samples'
import { atOf, localOf, offsetAt } from './travel'

const bounds = {
  first: message(10, { at: '2026-11-01T08:00:00.000Z' }),
  last: message(90, { at: '2026-11-21T12:00:00.000Z' }),
}

test.each<[string | number, number]>([
  ['10', 10], ['42', 42], ['42.4', 42], [55, 55], ['90', 90], ['1', 10], ['-5', 10], ['1000', 90], [Infinity, 90], ['', 90], ['x', 90], [NaN, 90],
])('the slider at %j stands for offset %i', (value, offset) => {
  expect(offsetAt(value, bounds)).toBe(offset)
})

describe('local times', () => {
  test('are what the user has on the clock, to the minute', () => {
    expect(localOf(new Date(2026, 10, 21, 14, 5, 59).toISOString())).toBe('2026-11-21T14:05')
    expect(localOf(new Date(2026, 0, 2, 0, 0).toISOString())).toBe('2026-01-02T00:00')
  })

  test.each([undefined, '', 'yesterday', '+012026-01-01T00:00:00Z'])('%j is none', (at) => {
    expect(localOf(at)).toBe('')
  })

  test('stand for the end of the minute, or second, that they name', () => {
    expect(atOf('2026-11-21T14:05')).toBe(new Date(2026, 10, 21, 14, 5, 59, 999).toISOString())
    expect(atOf('2026-11-21T14:05:07')).toBe(new Date(2026, 10, 21, 14, 5, 7, 999).toISOString())
    expect(atOf('2026-11-21T14:05:07.120')).toBe(new Date(2026, 10, 21, 14, 5, 7, 999).toISOString())
  })

  test.each(['', '2026-11-21', '14:05', '2026-13-01T00:00', '2026-11-21T25:00', '2026-11-21T10:61', '0000-01-01T00:00', '2026-11-21T14:05Z', ' 2026-11-21T14:05'])(
    '%j stands for no time',
    (local) => expect(atOf(local)).toBeUndefined(),
  )

  test('the minute of a message, put in and taken out again, is the same minute', () => {
    const random = chance(5)
    for (let n = 0; n < 1_000; n++) {
      const time = Date.UTC(2000 + below(100, random), 0, 1) + below(365 * 86_400_000, random)
      const local = localOf(new Date(time).toISOString())
      expect(localOf(atOf(local))).toBe(local)
    }
  })
})
