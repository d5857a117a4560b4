import { expect, test } from 'vitest'

import { below, chance } from './samples'
import { firstFrom } from './search'

test('the first at or above an offset is found, or the end', () => {
  const random = chance(1)
  for (let round = 0; round < 200; round++) {
    const sorted = Array.from({ length: below(20, random) }, () => below(30, random)).sort((a, b) => a - b)
    const offset = below(32, random)
    const expected = sorted.findIndex((one) => one >= offset)
    expect(firstFrom(sorted, offset, (one) => one)).toBe(expected === -1 ? sorted.length : expected)
  }
})
