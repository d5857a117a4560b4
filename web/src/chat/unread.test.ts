import { expect, test } from 'vitest'

import { below, chance } from './samples'
import { Unread } from './unread'

test('what was added is unread, each once, until it has been read', () => {
  const unread = new Unread()
  unread.add(3, 5, 4, 5)
  expect(unread.count).toBe(3)
  unread.readTo(4)
  expect(unread.count).toBe(1)
  unread.readTo(3)
  unread.add(2, 4)
  expect(unread.count).toBe(1)
  unread.readTo(5)
  expect(unread.count).toBe(0)
})

test('a hundred stands for more', () => {
  const unread = new Unread()
  for (let offset = 1; offset <= 10_000; offset++) unread.add(offset)
  expect(unread.count).toBe(100)
  unread.readTo(9_850)
  expect(unread.count).toBe(100)
  unread.readTo(9_950)
  expect(unread.count).toBe(50)
})

test('after clear() nothing is unread and nothing has been read', () => {
  const unread = new Unread()
  unread.add(7, 8)
  unread.readTo(7)
  unread.clear()
  expect(unread.count).toBe(0)
  unread.add(2)
  expect(unread.count).toBe(1)
})

test('counts like a set without a bound, up to a hundred, in whatever order things happen', () => {
  for (let seed = 1; seed <= 15; seed++) {
    const random = chance(seed)
    const unread = new Unread()
    const all = new Set<number>()
    let read = 0
    for (let step = 0; step < 200; step++) {
      if (random() < 0.9) {
        const offsets = Array.from({ length: below(6, random) }, () => 1 + below(600, random))
        unread.add(...offsets)
        for (const offset of offsets) all.add(offset)
      } else {
        const offset = below(read + 60, random)
        unread.readTo(offset)
        read = Math.max(read, offset)
      }
      const expected = [...all].filter((offset) => offset > read).length
      expect(unread.count, `seed ${seed}, step ${step}`).toBe(Math.min(expected, 100))
    }
  }
})
