import { expect, test } from 'vitest'

import type { Line } from '../chat/types'
import { composes, neighbour, writes } from './keys'

function room(name: string): Line {
  return { key: `room/${name}`, conversation: { room: name }, title: name, unread: 0, refused: 0, newest: 0, self: false }
}

const lines = ['a', 'b', 'c'].map(room)

test.each([
  ['room/a', 1, 'b'],
  ['room/b', -1, 'a'],
  ['room/c', 1, 'a'],
  ['room/a', -1, 'c'],
  [undefined, 1, 'a'],
  ['room/left', -1, 'c'],
])('from %s, %i further is %s', (key, steps, title) => {
  expect(neighbour(lines, key, steps)?.title).toBe(title)
})

test('nobody has a neighbour in an empty list', () => {
  expect(neighbour([], 'room/a', 1)).toBeUndefined()
})

const plain = { ctrlKey: false, metaKey: false, altKey: false }

test.each(['a', 'É', '/', '你', '🌊'])('%s writes', (key) => {
  expect(writes({ ...plain, key })).toBe(true)
})

test.each(['Enter', 'Tab', 'ArrowUp', 'Dead', 'Process', ' '])('%j does not write', (key) => {
  expect(writes({ ...plain, key })).toBe(false)
})

test.each(['ctrlKey', 'metaKey', 'altKey'])('a key with %s does not write', (modifier) => {
  expect(writes({ ...plain, key: 'a', [modifier]: true })).toBe(false)
})

test.each([
  [{ isComposing: true, keyCode: 229 }, true],
  [{ isComposing: true, keyCode: 27 }, true],
  [{ isComposing: false, keyCode: 229 }, true],
  [{ isComposing: false, keyCode: 27 }, false],
])('of %o, an input method takes it: %s', (event, taken) => {
  expect(composes(event)).toBe(taken)
})
