import { expect, test } from 'vitest'

import type { Line } from '../chat/types'
import { sumRefused, sumUnread, unreadFigure, windowTitle } from './unread'

function room(name: string, unread: number, refused = 0): Line {
  return { key: `room/${name}`, conversation: { room: name }, title: name, unread, refused, newest: 0, self: false }
}

test('the sum is that of all lists', () => {
  const lists = [[room('a', 2, 1), room('b', 0)], [], [room('c', 5, 3)]]
  expect(sumUnread(...lists)).toBe(7)
  expect(sumRefused(...lists)).toBe(4)
})

test('more than 99 are not told apart', () => {
  expect([1, 99, 100, 4_000].map(unreadFigure)).toEqual(['1', '99', '99+', '99+'])
})

test('the window is called after the open conversation, with what is unread before it', () => {
  expect(windowTitle(3, 'general')).toBe('(3) general – Tidemark')
  expect(windowTitle(0, 'general')).toBe('general – Tidemark')
  expect(windowTitle(0, '\u202eabc')).toBe('abc – Tidemark')
  expect(windowTitle(0, undefined)).toBe('Tidemark')
})
