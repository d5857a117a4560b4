/** Rooms, and what is refused, with the official client in Node.js. */

import { describe, expect } from 'vitest'

import { say, stored, test } from './client'

const room = 'garden'
const refusal = (code: string) => ({ ok: false, error: { code, message: expect.any(String) } })

describe('a room', () => {
  test('is heard from joining to leaving it, by everyone in it and nobody else', async ({ client }) => {
    const [ana, boris, clara] = [await client({ username: 'Ana' }), await client({ username: 'Boris' }), await client()]
    const joined = await ana.ask('room join', { room })
    expect(joined).toEqual({ ok: true, room, head: expect.any(Number) })
    await say(ana, { room }, 'before Boris')
    await expect.poll(() => ana.contents).toEqual(['before Boris'])
    expect(await boris.ask('room join', { room })).toMatchObject({ ok: true, room })
    const key = `${ana.socket.id}-0`
    const ack = await ana.ask('room message', { room, content: 'hello', clientOffset: key })
    expect(ack).toEqual(stored)
    expect(ack.offset).toBeGreaterThan(joined.head)
    const { offset, id } = ack
    const hello = { room, content: 'hello', from: ana.userID, username: 'Ana', offset, id, at: expect.any(String) }
    await expect.poll(() => boris.messages).toEqual([hello])
    await expect.poll(() => ana.messages.at(-1)).toEqual({ ...hello, clientOffset: key })

    expect(await boris.ask('room leave', { room })).toMatchObject({ ok: true, room })
    await say(ana, { room }, 'without Boris')
    for (const client of [ana, boris, clara]) await client.ask('room join', { room: 'last words' })
    await say(ana, { room: 'last words' }, 'last word')
    await expect.poll(() => boris.contents).toEqual(['hello', 'last word'])
    await expect.poll(() => clara.contents).toEqual(['last word'])
    await expect.poll(() => ana.contents).toEqual(['before Boris', 'hello', 'without Boris', 'last word'])
  })

  test('is joined by auth from the start', async ({ client }) => {
    const [ana, guest] = [await client({ username: 'Ana', rooms: [room] }), await client({ rooms: [room] })]
    await say(ana, { room }, 'from Ana')
    await say(guest, { room }, 'from a guest')
    await guest.ask('chat message', 'guests are in general too')
    for (const client of [ana, guest]) await expect.poll(() => client.contents).toEqual(['from Ana', 'from a guest'])
    await expect.poll(() => guest.last('chat message')).toBe('guests are in general too')
    expect(ana.last('chat message')).toBeUndefined()
  })

  test('takes a key once; in another room it is another message', async ({ client }) => {
    const ana = await client({ username: 'Ana', rooms: [room, 'cellar'] })
    const send = (name: string, content: string) => ana.ask('room message', { room: name, content, clientOffset: 'my key' })
    const first = await send(room, 'hello')
    expect(first).toEqual(stored)
    expect(await send(room, 'hello')).toEqual({ ...first, duplicate: true })
    expect(await send('cellar', 'hello')).toEqual(stored)
    expect(await send(room, 'other')).toEqual(refusal('key_conflict'))
    await say(ana, { room }, 'last word')
    await expect.poll(() => ana.messages.map(({ room, content }) => `${room}: ${content}`))
      .toEqual(['garden: hello', 'cellar: hello', 'garden: last word'])
  })
})

describe('what is not allowed is refused', () => {
  test('outside of a room: to speak there, and to read its history', async ({ client }) => {
    const [inside, outside] = [await client({ username: 'Ana', rooms: [room] }), await client({ username: 'Boris' })]
    await say(inside, { room }, 'secret')
    const isShutOut = async () => {
      expect(await outside.ask('room message', { room, content: 'hello' })).toEqual(refusal('forbidden'))
      expect(await outside.ask('history', { room })).toEqual(refusal('forbidden'))
    }
    await isShutOut()
    expect(await outside.ask('chat message', 'hello')).toEqual(refusal('forbidden'))
    await outside.ask('room join', { room })
    await say(outside, { room }, 'hello')
    await outside.ask('room leave', { room })
    await isShutOut()
  })

  test('direct messages of guests, and to nobody', async ({ client }) => {
    const [ana, guest] = [await client({ username: 'Ana' }), await client()]
    expect(await guest.ask('private message', { to: ana.userID, content: 'hello' })).toEqual(refusal('forbidden'))
    expect(await guest.ask('history', { with: ana.userID })).toEqual(refusal('forbidden'))
    for (const to of ['nobody', guest.socket.id, '0'.repeat(32), '*', '>']) {
      expect(await ana.ask('private message', { to, content: 'hello' })).toEqual(refusal('unknown_recipient'))
    }
    expect(await ana.ask('private message', { to: ana.userID, content: 'a note' })).toEqual(stored)
  })

  test('what makes no sense, and the connection lives on', async ({ client }) => {
    const ana = await client({ username: 'Ana', rooms: [room] })
    const nonsense: [string, ...unknown[]][] = [
      ['room join'], ['room join', room], ['room join', { room: '' }], ['room join', { room: 5 }],
      ['room join', { room: { a: 1 } }], ['room join', { room: 'x'.repeat(129) }], ['room leave', null],
      ['room message', { room, content: '' }], ['room message', { room, content: ['x'] }], ['room message', { room }],
      ['room message', { room, content: 'x', clientOffset: 5 }],
      ['private message'], ['private message', { content: 'x' }], ['private message', { to: 7, content: 'x' }],
      ['history', {}], ['history', { room, before: 0 }], ['history', { room, limit: 'all' }],
      ['history', { room, with: ana.userID }], ['add user'], ['typing', 'general'], ['no such event'],
    ]
    for (const sent of nonsense) expect(await ana.ask(...sent), JSON.stringify(sent)).toEqual(refusal('invalid_payload'))
    await say(ana, { room }, 'fine')
  })

  test('rooms whose names are patterns of others: nobody hears what is not theirs', async ({ client }) => {
    const [ana, boris] = [await client({ username: 'Ana', rooms: [room] }), await client({ username: 'Boris' })]
    const spy = await client({ username: 'Spy' })
    const pair = [ana.userID, boris.userID]
    const patterns = ['*', '>', 'general.>', '*.garden', 'GARDEN', 'garden ']
    const directs = [...pair, `dm.${pair[1]}`, pair.join('.'), pair.toSorted().join(':')]
    for (const name of [...patterns, ...directs]) await spy.ask('room join', { room: name })
    await say(ana, { to: boris.userID }, 'secret')
    await say(ana, { room }, 'secret')
    await say(ana, { to: spy.userID }, 'last word')
    await expect.poll(() => spy.contents).toContain('last word')
    expect(JSON.stringify(spy.heard)).not.toContain('secret')
  })
})
