import { expect, test } from 'vitest'

import { height, picture, shortened, width } from './digest'

const digest = '0123456789abcdef'.repeat(4)

test('a digest is eight cells within the picture', () => {
  const cells = picture(digest)
  expect(cells).toHaveLength(8)
  for (const cell of cells) {
    expect(cell.x).toBeLessThan(width)
    expect(cell.y + cell.height).toBe(height)
    expect(cell.height).toBeGreaterThan(0)
    expect(cell.fill).toMatch(/^hsl\(\d+ \d+% \d+%\)$/)
  }
})

test('another digest is another picture', () => {
  expect(picture(`ff${digest.slice(2)}`)).not.toEqual(picture(digest))
  expect(picture(`${digest.slice(0, -4)}0000`)).not.toEqual(picture(digest))
})

test('what is no digest has no picture', () => {
  for (const text of ['', 'ab', 'Z'.repeat(64)]) expect(picture(text)).toEqual([])
})

test('a digest is shortened', () => {
  expect(shortened(digest)).toBe('0123456789ab…')
})
