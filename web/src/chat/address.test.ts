import { describe, expect, test } from 'vitest'

import type { Conversation } from '../tidemark'
import { addressOf, parseAddress } from './address'
import { below, chance } from './samples'

test.each<[Conversation, number | undefined, string]>([
  [{ room: 'general' }, undefined, '#/room/general'],
  [{ room: 'general' }, 1234, '#/room/general@1234'],
  [{ user: '0b8f-2' }, undefined, '#/user/0b8f-2'],
  [{ room: 'a room/with@12 50%' }, 7, '#/room/a%20room%2Fwith%4012%2050%25@7'],
  [{ room: "it's (new)!*" }, undefined, '#/room/it%27s%20%28new%29%21%2A'],
  [{ room: '🌊' }, undefined, '#/room/%F0%9F%8C%8A'],
])('%j, %j has the address %s, which leads back to it', (conversation, offset, address) => {
  expect(addressOf(conversation, offset)).toBe(address)
  expect(parseAddress(address)).toEqual(offset === undefined ? { conversation } : { conversation, offset })
})

test.each([
  '', '#', '#/', '#/room', '#/room/', '#/room/@5', '#/rooms/a', '#/Room/a', '/room/a', '#room/a', '#/room/a/b', '#/room/a@', '#/room/a@b',
  '#/room/a@0', '#/room/a@-1', '#/room/a@1.5', '#/room/a@05', '#/room/a@1@2', '#/room/a@9007199254740992', '#/room/a@99999999999999999999',
  '#/room/%', '#/room/%zz', '#/room/%ED%A0%80', '#/room/%C3', `#/room/${'a'.repeat(129)}`, `#/user/${'%F0%9F%8C%8A'.repeat(129)}`,
])('%s is no address', (hash) => {
  expect(parseAddress(hash)).toBeUndefined()
})

test('a name of 128 characters that are two units each is a name', () => {
  const conversation = { room: '🌊'.repeat(128) }
  expect(parseAddress(addressOf(conversation, Number.MAX_SAFE_INTEGER))).toEqual({ conversation, offset: Number.MAX_SAFE_INTEGER })
})

test('half a surrogate pair is replaced, as the gateway does it', () => {
  expect(parseAddress(addressOf({ room: 'a\ud83cb\udf0a' }))).toEqual({ conversation: { room: 'a\ufffdb\ufffd' } })
})

describe('by chance', () => {
  const alphabet = [...'ab /@%#?&=.~!\'"()*<>\\é한🌊\u0000\n\u202e', '\ud83c', '\udf0a', '%40', '%ZZ', '..', '#/room/', '@12']
  const textOf = (random: () => number, most: number) =>
    Array.from({ length: 1 + below(most, random) }, () => alphabet[below(alphabet.length, random)]).join('')

  test('any name leads back to itself', () => {
    const random = chance(7)
    for (let n = 0; n < 2_000; n++) {
      const name = textOf(random, 14)
      const offset = random() < 0.5 ? undefined : 1 + below(2 ** 40, random)
      const address = addressOf(n % 2 === 0 ? { room: name } : { user: name }, offset)
      const text = name.replace(/\p{Surrogate}/gu, '\ufffd')
      const conversation = n % 2 === 0 ? { room: text } : { user: text }
      expect(parseAddress(address)).toEqual(offset === undefined ? { conversation } : { conversation, offset })
    }
  })

  test('whatever stands in the address bar, parsing does not throw, and what it reads has an address', () => {
    const random = chance(8)
    let read = 0
    for (let n = 0; n < 5_000; n++) {
      const parsed = parseAddress(['', '#/room/', '#/user/'][n % 3] + textOf(random, 4))
      if (parsed === undefined) continue
      read++
      expect(parseAddress(addressOf(parsed.conversation, parsed.offset))).toBeDefined()
    }
    expect(read).toBeGreaterThan(100)
  })
})
