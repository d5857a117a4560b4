import { expect, test } from 'vitest'

import { floorOf } from './fresh'

/** The offsets that are tinted, of those shown, after the newest was each of these in turn. */
function tinted(...newest: number[]): number[] {
  let floor = newest[0] ?? 0
  for (const [i, now] of newest.entries()) floor = floorOf(floor, newest[i - 1] ?? now, now)
  const last = newest.at(-1) ?? 0
  return Array.from({ length: last }, (_, i) => i + 1).filter((offset) => offset > floor)
}

test('what is there at first is not new', () => {
  expect(tinted(100)).toEqual([])
})

test('what comes one by one is new, and stays so', () => {
  expect(tinted(100, 101, 103)).toEqual([101, 102, 103])
})

test('a burst is not tinted, and behind it only what comes then', () => {
  expect(tinted(100, 101, 300)).toEqual([])
  expect(tinted(100, 101, 300, 301)).toEqual([301])
})

test('another log, whose offsets begin anew, has nothing new at first', () => {
  expect(tinted(300, 301, 5)).toEqual([])
  expect(tinted(300, 301, 5, 6)).toEqual([6])
})
