import { expect, test } from 'vitest'

import type { Line } from '../chat/types'
import { sumUnread, unreadFigure, windowTitle } from './unread'

function room(name: string, unread: number): Line {
  return { key: `room/${name}`, conversation: { room: name }, title: name, unread, refused: 0, newest: 0, self: false }
}

test('the sum is that of all lists', () => {
  expect(sumUnread([room('a', 2), room('b', 0)], [], [room('c', 5)])).toBe(7)
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
