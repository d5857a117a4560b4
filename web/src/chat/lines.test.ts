import { expect, test } from 'vitest'

import { matches, peopleOrder, roomOrder } from './lines'
import { chance } from './samples'
import type { Line } from './types'

function room(name: string, newest = 0): Line {
  return { key: `room/${name}`, conversation: { room: name }, title: name, unread: 0, refused: 0, newest, self: false }
}

function person(userID: string, more: { title?: string; newest?: number; connected?: boolean; self?: boolean } = {}): Line {
  const { title = userID, newest = 0, connected = false, self = false } = more
  const person = { userID, username: title, connected }
  return { key: `user/${userID}`, conversation: { user: userID }, title, unread: 0, refused: 0, newest, self, person }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map((item) => ({ item, at: random() })).sort((a, b) => a.at - b.at).map(({ item }) => item)
}

function expectOrder(order: (a: Line, b: Line) => number, sorted: readonly Line[]): void {
  const random = chance(3)
  for (let n = 0; n < 50; n++) expect(shuffled(sorted, random).sort(order)).toEqual(sorted)
}

test('rooms: general, then the last spoken in, then by name, numbers as numbers', () => {
  expectOrder(roomOrder, [room('general', 3), room('tide', 90), room('ebb', 12), room('a2'), room('A10'), room('élan'), room('flood')])
})

test('people: those one has talked to, then who is there, then by name, and oneself last', () => {
  expectOrder(peopleOrder, [
    person('z', { newest: 90 }), person('y', { newest: 20, connected: true }), person('b', { connected: true }),
    person('c', { connected: true }), person('1', { title: 'Ana' }), person('2', { title: 'Ana' }), person('a', { title: 'Éva' }),
    person('d', { title: 'Fritz' }), person('me', { title: 'Aaron', connected: true, self: true }),
  ])
})

test('people: oneself is like others once one has talked to oneself', () => {
  expectOrder(peopleOrder, [person('me', { newest: 5, self: true }), person('a', { connected: true })])
})

test.each([
  ['Éva Müller', 'eva', true],
  ['Eva', 'É', true],
  ['Éva Müller', ' mull ', true],
  ['Straße', 'STRASSE', true],
  ['ΟΔΟΣ', 'οδος', true],
  ['οδοσα', 'ΟΣΑ', true],
  ['ｆｕｌｌ', 'full', true],
  ['anyone', '', true],
  ['anyone', '   ', true],
  ['Ana', 'anna', false],
  ['a.c', 'abc', false],
])('%s matches %j: %s', (title, filter, expected) => {
  expect(matches(person('u', { title }), filter)).toBe(expected)
})
