import { expect, test } from 'vitest'

import { plainName, visibleName } from './names'

test.each(['Ana', 'علي', '🌊', '<b>', 'a\u200b', '.'])('%j is shown as it is', (name) => {
  expect(visibleName(name)).toBe(name)
})

const nothing = ['', ' ', '\u200b\u200d', '\u202e', '\u3164', '\u2800', '\u00ad\ufeff']

test.each(nothing)('%j, of which nothing can be seen, is said in words', (name) => {
  expect(visibleName(name)).toBe('(name without letters)')
})

test('a plain name turns nothing round', () => {
  expect(plainName('\u202eevil\u2066')).toBe('evil')
  expect(plainName('\u202e')).toBe('(name without letters)')
})
