import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { openKnown, openLive, openPage, settle } from './fakepage'
import { FakeBrowser } from './faketabs'
import { MemoryStore } from './memory'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('rooms', () => {
  test('are joined at once, followed from the join on, kept, and named at the next handshake', async () => {
    const { client, wire, take, store } = await openLive()
    const joining = client.join('tea')
    expect(client.rooms).toEqual(['general'])
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 7 })
    await joining
    wire.receive('room message', { room: 'tea', content: 'hi', offset: 8 })
    expect(take()).toEqual(['room/tea after 7'])
    expect((await store.load()).rooms).toEqual(['general', 'tea'])
    wire.lose()
    wire.accept()
    expect(wire.auths[1]).toMatchObject({ rooms: ['general', 'tea'], serverOffset: 8 })
    expect(take()).toEqual(['connecting', 'catching up'])
  })

  test('are joined by the next handshake while there is no connection', async () => {
    const { client, wire, take } = await openLive({ head: 3 })
    wire.lose()
    await client.join('tea')
    expect(client.rooms).toEqual(['general', 'tea'])
    wire.accept()
    expect(wire.auths[1]).toMatchObject({ rooms: ['general', 'tea'], serverOffset: 3 })
    expect(take()).toEqual(['connecting', 'catching up', 'room/tea after 3'])
    expect(wire.emitted).toEqual([])
  })

  test('that are joined before it is clear where a connection begins are followed from where the next one does', async () => {
    const { client, wire, take } = await openPage()
    client.signIn('Ana')
    wire.accept()
    wire.greet()
    const joining = client.join('tea')
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 3 })
    await joining
    wire.lose()
    wire.accept()
    wire.recover(9, { from: 8 })
    expect(take().slice(5)).toEqual(['directs after 8', 'room/general after 8', 'room/tea after 8', 'live'])
  })

  test('that are joined before it is clear where this connection begins are followed from their join on', async () => {
    const { client, wire, take } = await openPage()
    client.signIn('Ana')
    wire.accept()
    wire.greet()
    const joining = client.join('tea')
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 9 })
    await joining
    wire.recover(8, { from: 8 })
    expect(take().slice(3)).toEqual(['directs after 8', 'room/general after 8', 'room/tea after 9', 'live'])
  })

  test('that change during a handshake are made up for', async () => {
    const { client, wire, take } = await openKnown()
    await client.join('old')
    wire.handshake()
    await client.join('tea')
    await client.leave('old')
    wire.accept(true)
    expect(wire.emitted.map(({ name, args }) => [name, ...args])).toEqual([['room leave', { room: 'old' }], ['room join', { room: 'tea' }]])
    expect(take()).toEqual(['connecting', 'left room/old', 'catching up', 'directs after 10', 'room/general after 10'])
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 12 })
    expect(take()).toEqual(['room/tea after 12'])
  })

  test('whose join is cut off are joined by the next handshake', async () => {
    const { client, wire } = await openLive()
    const joining = client.join('tea')
    wire.lose()
    await joining
    expect(wire.handshake().rooms).toEqual(['general', 'tea'])
  })

  test('that are refused are not joined', async () => {
    const { client, wire } = await openLive()
    const joining = client.join('tea')
    wire.sent('room join')[0]?.answer({ ok: false, error: { code: 'forbidden', message: 'too many rooms' } })
    await expect(joining).rejects.toMatchObject({ name: 'RequestError', code: 'forbidden', message: 'too many rooms' })
    await expect(client.join('')).rejects.toMatchObject({ code: 'invalid_payload' })
    await expect(client.join('x'.repeat(129))).rejects.toMatchObject({ code: 'invalid_payload' })
    expect(client.rooms).toEqual(['general'])
  })

  test('that are refused to one tab stay those of the others', async () => {
    const browser = new FakeBrowser()
    const store = new MemoryStore()
    const one = await openLive({ browser, store })
    const two = await openLive({ browser, store })
    void one.client.join('tea')
    one.wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 0 })
    two.wire.sent('room join')[0]?.answer({ ok: false, error: { code: 'forbidden', message: 'too many rooms' } })
    await settle()
    expect([one.client.rooms, two.client.rooms]).toEqual([['general', 'tea'], ['general']])
    expect((await store.load()).rooms).toEqual(['general', 'tea'])
  })

  test('that are left are gone, and what still comes of them is not told', async () => {
    const { client, wire, take, store, offsets } = await openLive()
    const joining = client.join('tea')
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 0 })
    await joining
    const leaving = client.leave('tea')
    wire.receive('room message', { room: 'tea', content: 'late', offset: 1 })
    wire.sent('room leave')[0]?.answer({ ok: true, room: 'tea' })
    await leaving
    expect(take()).toEqual(['room/tea after 0', 'left room/tea'])
    expect(offsets()).toEqual([])
    expect((await store.load()).rooms).toEqual(['general'])
    wire.lose()
    expect(wire.handshake()).toMatchObject({ rooms: ['general'], serverOffset: 1 })
  })
})

describe('a join that is not answered in time', () => {
  const inMs = 10_000

  test('leaves one in the room, is asked again, and counts when it is answered late', async () => {
    const { client, wire, store, take } = await openLive()
    const joining = client.join('tea')
    await vi.advanceTimersByTimeAsync(inMs)
    await joining
    expect(client.rooms).toEqual(['general', 'tea'])
    expect((await store.load()).rooms).toEqual(['general', 'tea'])
    expect(wire.sent('room join')).toHaveLength(2)
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 3 })
    wire.sent('room join')[1]?.answer({ ok: true, room: 'tea', head: 5 })
    expect(take()).toEqual(['room/tea after 3'])
    wire.lose()
    expect(wire.handshake().rooms).toEqual(['general', 'tea'])
  })

  test('makes the room complete from the first answer on', async () => {
    const { client, wire, take } = await openPage()
    client.signIn('Ana')
    wire.accept()
    wire.greet()
    void client.join('tea')
    await vi.advanceTimersByTimeAsync(inMs)
    for (const [index, head] of [3, 5].entries()) wire.sent('room join')[index]?.answer({ ok: true, room: 'tea', head })
    wire.recover(2, { from: 2 })
    expect(take()).toContain('room/tea after 3')
  })

  test('costs nobody a room that he was in before', async () => {
    const { client, wire, store, take } = await openLive()
    wire.lose()
    wire.handshake()
    await client.join('tea')
    wire.accept(true)
    wire.recover(0)
    await vi.advanceTimersByTimeAsync(inMs)
    expect(client.rooms).toEqual(['general', 'tea'])
    expect((await store.load()).rooms).toEqual(['general', 'tea'])
    take()
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 0 })
    expect(take()).toEqual(['room/tea after 0'])
  })

  test('gives the room up once it is refused', async () => {
    const { client, wire, store, take } = await openLive()
    const joining = client.join('tea')
    await vi.advanceTimersByTimeAsync(inMs)
    await joining
    wire.sent('room join')[1]?.answer({ ok: false, error: { code: 'forbidden', message: 'too many rooms' } })
    await settle()
    expect(take()).toEqual(['left room/tea'])
    expect((await store.load()).rooms).toEqual(['general'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is asked once and no more for an answer that cannot be understood', async () => {
    const { client, wire } = await openLive()
    const joining = client.join('tea')
    wire.sent('room join')[0]?.answer('x')
    await joining
    await vi.advanceTimersByTimeAsync(inMs)
    expect(wire.sent('room join')).toHaveLength(1)
    wire.lose()
    expect(wire.handshake().rooms).toEqual(['general', 'tea'])
  })
})

describe('a room that is left while it is being joined', () => {
  test('is left again when it has been', async () => {
    const { client, wire, store, take } = await openLive()
    const joining = client.join('tea')
    await client.leave('tea')
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 0 })
    await joining
    expect(wire.sent('room leave')).toHaveLength(1)
    expect(client.rooms).toEqual(['general'])
    expect((await store.load()).rooms).toEqual(['general'])
    expect(take()).toEqual([])
  })

  test('stays left, if that is after a loss', async () => {
    const { client, wire, store } = await openLive()
    wire.lose()
    wire.handshake()
    await client.join('tea')
    wire.accept(true)
    const leaving = client.leave('tea')
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 0 })
    wire.sent('room leave')[0]?.answer({ ok: true, room: 'tea' })
    await leaving
    expect((await store.load()).rooms).toEqual(['general'])
    expect(client.rooms).toEqual(['general'])
  })

  test('stays left in every tab', async () => {
    const browser = new FakeBrowser()
    const store = new MemoryStore()
    const one = await openLive({ browser, store })
    const two = await openLive({ browser, store })
    void one.client.join('tea')
    one.wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 0 })
    void one.client.leave('tea')
    two.wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 0 })
    await settle()
    expect(two.wire.sent('room leave')).toHaveLength(1)
    expect([one.client.rooms, two.client.rooms, (await store.load()).rooms]).toEqual([['general'], ['general'], ['general']])
  })

  test('and then joined again, is joined', async () => {
    const { client, wire, take } = await openLive()
    void client.join('tea')
    void client.leave('tea')
    void client.join('tea')
    expect(wire.emitted).toHaveLength(1)
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 4 })
    expect(take()).toEqual(['room/tea after 4'])
    void client.leave('tea')
    void client.join('tea')
    expect(client.rooms).toEqual(['general', 'tea'])
    wire.sent('room leave')[0]?.answer({ ok: true, room: 'tea' })
    wire.sent('room join')[1]?.answer({ ok: true, room: 'tea', head: 6 })
    await settle()
    expect(take()).toEqual(['left room/tea', 'room/tea after 6'])
    expect(client.rooms).toEqual(['general', 'tea'])
  })
})

describe('a join that is under way at sign-out', () => {
  test('is not one of the next user', async () => {
    const { client, wire, store } = await openLive()
    const joining = client.join('secret')
    await client.signOut()
    await joining
    client.signIn('Boris')
    expect(wire.handshake().rooms).toEqual(['general'])
    wire.accept(true)
    wire.sent('room join')[0]?.answer({ ok: true, room: 'secret', head: 0 })
    await settle()
    expect(wire.sent('room leave')).toEqual([])
    expect(client.rooms).toEqual(['general'])
    expect((await store.load()).rooms).toEqual(['general'])
  })
})

describe('a handshake that is turned away for its rooms', () => {
  const isForbidden = { ok: false, error: { code: 'forbidden', message: 'too many rooms' } }

  test('is tried again with those of earlier connections, and the others are joined one by one', async () => {
    const { client, wire, take, store } = await openLive()
    wire.lose()
    await client.join('tea')
    await client.join('one too many')
    wire.turnAway('invalid rooms')
    expect(client.state).toEqual({ phase: 'connecting', retrying: true })
    expect(wire.active).toBe(true)
    wire.accept()
    wire.recover(0)
    expect(wire.auths.at(-1)?.rooms).toEqual(['general'])
    expect(wire.emitted.map(({ args }) => args[0])).toEqual([{ room: 'tea' }, { room: 'one too many' }])
    take()
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 2 })
    wire.sent('room join')[1]?.answer(isForbidden)
    await settle()
    expect(take()).toEqual(['room/tea after 2', 'left room/one too many'])
    expect((await store.load()).rooms).toEqual(['general', 'tea'])
    wire.lose()
    expect(wire.handshake().rooms).toEqual(['general', 'tea'])
  })

  test('costs a new page only the rooms that are refused', async () => {
    const store = new MemoryStore()
    for (const room of ['a', 'b', 'c']) await store.join(room)
    const { client, wire } = await openKnown({ store })
    wire.turnAway('invalid rooms')
    wire.accept()
    expect(wire.auths.at(-1)?.rooms).toEqual(['general'])
    for (const [index, head] of [5, 6].entries()) wire.sent('room join')[index]?.answer({ ok: true, room: 'ab'[index], head })
    wire.sent('room join')[2]?.answer(isForbidden)
    await settle()
    expect(client.rooms).toEqual(['general', 'a', 'b'])
    expect((await store.load()).rooms).toEqual(['general', 'a', 'b'])
  })

  test('that names only the first rooms in the end is tried no more, and no room is lost', async () => {
    const { client, wire, take } = await openLive()
    const joining = client.join('tea')
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 0 })
    await joining
    wire.lose()
    await client.join('beer')
    for (const rooms of [['general', 'tea', 'beer'], ['general', 'tea'], ['general']]) {
      wire.turnAway('invalid rooms')
      expect(wire.auths.at(-1)?.rooms).toEqual(rooms)
    }
    expect(client.state).toEqual({ phase: 'offline', retrying: false, reason: 'invalid rooms' })
    expect(client.rooms).toEqual(['general', 'tea', 'beer'])
    expect(take()).not.toContain('left room/tea')
  })

  test('makes a room that was followed be followed anew from its join on', async () => {
    const { client, wire, take } = await openLive()
    const joining = client.join('tea')
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 0 })
    await joining
    wire.lose()
    wire.turnAway('invalid rooms')
    wire.accept()
    wire.recover(9)
    take()
    wire.sent('room join')[1]?.answer({ ok: true, room: 'tea', head: 9 })
    expect(take()).toEqual(['room/tea after 9'])
  })
})
