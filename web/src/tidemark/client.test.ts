import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { general } from './contract'
import { openKnown, openLive, openPage, settle } from './fakepage'
import { FakeBrowser } from './faketabs'
import { MemoryStore } from './memory'
import { reloadMs } from './tabs'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const known = { sessionID: 'secret of me' }

describe('state', () => {
  test('is offline while nobody is signed in', async () => {
    const { client, wire } = await openPage()
    client.connect()
    client.retryNow()
    expect(client.state).toEqual({ phase: 'offline', retrying: false })
    expect(client.identity).toBeUndefined()
    expect(wire.active).toBe(false)
  })

  test('goes from connecting over catching up to live', async () => {
    const { client, wire, take } = await openPage()
    client.signIn('Ana')
    wire.accept()
    wire.greet()
    wire.recover(2)
    expect(take()).toEqual(['connecting', 'catching up', 'Ana is me', 'directs after 0', 'room/general after 0', 'live'])
  })

  test('is connecting after a loss, and offline only once an attempt has failed', async () => {
    const { client, wire, take } = await openLive()
    wire.lose()
    wire.fail()
    wire.fail()
    expect(client.state).toEqual({ phase: 'offline', retrying: true, reason: 'websocket error' })
    wire.accept()
    wire.greet()
    wire.recover(0)
    expect(take()).toEqual(['connecting', 'offline: websocket error', 'catching up', 'live'])
  })

  test('says when nothing is tried any more, and retryNow() tries again', async () => {
    const { client, wire } = await openLive()
    wire.lose('io server disconnect')
    expect(client.state).toEqual({ phase: 'offline', retrying: false, reason: 'io server disconnect' })
    client.retryNow()
    expect(client.state).toEqual({ phase: 'connecting', retrying: true })
    expect(wire.active).toBe(true)
  })

  test('is tried again at once when there is a network, and left alone while there is a connection', async () => {
    const { wire, page } = await openLive()
    const connect = vi.fn()
    wire.onConnect = connect
    page.online()
    expect(connect).not.toHaveBeenCalled()
    wire.lose()
    wire.fail()
    page.online()
    expect(connect).toHaveBeenCalledOnce()
  })

  test('is offline after close(), said once, and nothing is left running', async () => {
    const { client, wire, page, take } = await openLive()
    client.send(general, 'a')
    client.history(general).catch(() => {})
    wire.receive('typing', { username: 'Boris', userID: 'b', room: 'general' })
    wire.messages(1)
    client.close()
    page.online()
    expect(client.state).toEqual({ phase: 'offline', retrying: false })
    expect(take()).toEqual(['offline'])
    expect(wire.active).toBe(false)
    await settle()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a user', () => {
  test('who is new begins from now on, and is known from then on', async () => {
    const { client, wire, store } = await openPage()
    client.signIn('Ana')
    wire.accept()
    expect(wire.auths).toEqual([{ username: 'Ana', rooms: ['general'] }])
    wire.greet()
    wire.lose()
    wire.accept()
    expect(wire.auths[1]).toEqual({ ...known, rooms: ['general'] })
    expect((await store.load()).session).toMatchObject({ ...known, userID: 'me', username: 'Ana' })
  })

  test('is told of once, and again when it is another one', async () => {
    const { client, wire, take } = await openLive()
    wire.lose()
    wire.accept()
    wire.greet()
    expect(take()).toEqual(['connecting', 'catching up'])
    client.signIn('Boris')
    wire.accept()
    wire.greet('other')
    expect(take()).toEqual(['offline', 'nobody', 'connecting', 'catching up', 'Boris is other'])
  })

  test('whose name is not taken is nobody', async () => {
    const { client, wire, take } = await openPage()
    client.signIn('x'.repeat(65))
    wire.turnAway('invalid username')
    expect(take()).toEqual(['connecting', 'offline: invalid username'])
    client.retryNow()
    expect(wire.active).toBe(false)
  })

  test('whose session has ended is nobody, and decides on what was not sent', async () => {
    const { client, wire, take, store } = await openKnown()
    const entry = client.send(general, 'a')
    await settle()
    wire.turnAway('invalid username')
    await settle()
    expect(take()).toEqual(['connecting', 'nobody', 'offline: invalid username'])
    expect(entry).toMatchObject({ state: 'refused', refusal: { code: 'session_ended' } })
    expect(await store.load()).toMatchObject({ session: undefined, cursor: undefined })
    expect(await store.entries()).toMatchObject([{ content: 'a', refusal: { code: 'session_ended' } }])
    client.signIn('Ana')
    expect(wire.handshake()).toEqual({ username: 'Ana', rooms: ['general'] })
  })

  test('who signs out leaves nothing behind', async () => {
    const { client, wire, store, take } = await openLive()
    wire.messages(5)
    client.read(general, 5)
    void client.join('tea')
    wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 5 })
    wire.lose()
    client.send(general, 'a')
    await settle()
    take()
    await client.signOut()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(take()).toEqual(['offline', 'discarded a', 'nobody'])
    expect(await store.load()).toEqual(await new MemoryStore().load())
    expect(await store.entries()).toEqual([])
    expect(client.rooms).toEqual(['general'])
    expect(client.readAt(general)).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('recovery', () => {
  test('asks at each handshake for what comes after the last thing known', async () => {
    const { wire, offsets } = await openLive({ head: 4 })
    wire.messages(5)
    wire.lose()
    wire.accept()
    wire.greet()
    wire.messages(6, 7)
    wire.recover(7)
    wire.receive('watermark', { offset: 20 })
    wire.lose()
    wire.handshake()
    expect(wire.auths.slice(1)).toEqual([5, 20].map((serverOffset) => ({ ...known, rooms: ['general'], serverOffset, epoch: 'e1' })))
    expect(offsets()).toEqual([5, 6, 7])
  })

  test('goes on after a reload, and says from where', async () => {
    const { wire, take, client } = await openKnown()
    expect(client.identity).toEqual({ userID: 'me', username: 'Ana' })
    wire.accept()
    expect(wire.auths).toEqual([{ ...known, rooms: ['general'], serverOffset: 10, epoch: 'e1' }])
    expect(take()).toEqual(['connecting', 'catching up', 'directs after 10', 'room/general after 10'])
  })

  test('keeps the cursor within a quarter of a second, and when the page is hidden', async () => {
    const { wire, store, page } = await openLive()
    wire.messages(5)
    await vi.advanceTimersByTimeAsync(250)
    expect((await store.load()).cursor).toEqual({ offset: 5, epoch: 'e1' })
    wire.messages(6)
    page.hide()
    expect((await store.load()).cursor).toEqual({ offset: 6, epoch: 'e1' })
  })

  test('tells the messages of a new user after it is clear from where on he is given them', async () => {
    const { client, wire, take, offsets } = await openPage()
    client.signIn('Ana')
    wire.accept()
    wire.greet()
    wire.messages(8, 9)
    expect(offsets()).toEqual([])
    wire.recover(9, { from: 7 })
    expect(take().slice(3)).toEqual(['directs after 7', 'room/general after 7', 'live'])
    expect(offsets()).toEqual([8, 9])
  })

  test('tells each message once, whatever is repeated', async () => {
    const { wire, offsets } = await openLive()
    wire.messages(1, 2, 2, 1, 3)
    wire.lose()
    wire.accept()
    wire.messages(2, 3, 4)
    wire.recover(4)
    expect(offsets()).toEqual([1, 2, 3, 4])
  })

  test('starts over when the log is another one, and forgets how far one has read', async () => {
    const { client, wire, offsets, take, store } = await openLive()
    wire.messages(8, 9)
    client.read(general, 9)
    await vi.advanceTimersByTimeAsync(250)
    take()
    wire.lose()
    wire.accept()
    wire.messages(1, 2)
    wire.recover(2, { recovered: false, reason: 'epoch_changed', epoch: 'e2' })
    wire.messages(3)
    expect(take().slice(2)).toEqual(['discontinuity: epoch_changed', 'directs after 0', 'room/general after 0', 'live'])
    expect(offsets()).toEqual([1, 2, 3])
    expect(client.readAt(general)).toBeUndefined()
    await vi.advanceTimersByTimeAsync(250)
    expect(await store.load()).toMatchObject({ cursor: { offset: 3, epoch: 'e2' }, readAt: new Map() })
  })

  test('of a new user in a new log knows nothing of how far the old one was read', async () => {
    const store = new MemoryStore()
    await store.read('room/general', { offset: 50_000, epoch: 'e1' })
    const { client, wire } = await openKnown({ store })
    expect(client.readAt(general)).toBe(50_000)
    wire.turnAway('invalid username') // sessions were in the log that is gone
    client.signIn('Ana')
    wire.accept()
    wire.greet('Ana again')
    const followed: unknown[] = []
    client.on('following', ({ conversation }) => followed.push([conversation, client.readAt(general)]))
    wire.recover(3, { from: 3, epoch: 'e2' })
    expect(followed).toEqual([[undefined, undefined], [general, undefined]])
    expect((await store.load()).readAt).toEqual(new Map())
  })

  test('of a log that has lost a part keeps what is told, and says that history has to be looked at again', async () => {
    const { wire, offsets, take } = await openLive()
    wire.messages(1)
    wire.lose()
    wire.accept()
    wire.messages(9)
    wire.recover(9, { recovered: false, reason: 'trimmed', from: 8 })
    expect(take().slice(2)).toEqual(['discontinuity: trimmed', 'directs after 9', 'room/general after 9', 'live'])
    expect(offsets()).toEqual([1, 9])
  })

  test('ignores what has not the shape of the contract', async () => {
    const { client, wire, offsets } = await openPage()
    client.signIn('Ana')
    wire.accept()
    for (const name of ['session', 'users', 'user connected', 'user disconnected', 'chat message', 'room message',
      'private message', 'typing', 'stop typing', 'replay', 'recovery', 'watermark']) {
      for (const value of [undefined, null, 7, 'x', {}, [], { offset: 'x' }, { userID: 7, room: 7 }]) wire.receive(name, value)
    }
    expect(client.state.phase).toBe('catching up')
    expect(offsets()).toEqual([])
  })
})

describe('direct messages', () => {
  const boris = { user: 'b' }
  const id = '0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b'

  test('are of the conversation with the other one', async () => {
    const { wire, messages } = await openLive()
    wire.receive('private message', { content: 'hi', from: 'b', to: 'me', offset: 1, username: 'Boris' })
    wire.receive('private message', { content: 'hello', from: 'me', to: 'b', offset: 2, clientOffset: 'k' })
    expect(messages.map(({ conversation }) => conversation)).toEqual([boris, boris])
  })

  test('of one\'s own are told by their ack, which moves no cursor', async () => {
    const { client, wire, messages } = await openLive()
    const { key } = client.send(boris, 'hello')
    await settle()
    wire.sent('private message')[0]?.answer({ ok: true, offset: 3, id })
    expect(messages).toEqual([{
      conversation: boris, offset: 3, content: 'hello', id, at: new Date(0x0193a1b2c3d4).toISOString(), from: 'me', username: 'Ana', clientOffset: key,
    }])
    wire.messages(1, 2)
    wire.lose()
    expect(wire.handshake().serverOffset).toBe(2)
  })

  test('of one\'s own that a later replay brings as well are told once', async () => {
    const { client, wire, offsets } = await openLive()
    const { key } = client.send(boris, 'hello')
    await settle()
    wire.sent('private message')[0]?.answer({ ok: true, offset: 3, id })
    wire.lose()
    wire.accept()
    wire.greet()
    wire.messages(1)
    wire.receive('private message', { content: 'hello', from: 'me', to: 'b', offset: 3, clientOffset: key })
    wire.recover(3)
    expect(offsets()).toEqual([3, 1])
  })

  test('of one\'s own that a replay brings before their ack are told once', async () => {
    const { client, wire, offsets } = await openLive()
    const entry = client.send(boris, 'hello')
    await settle()
    wire.lose()
    wire.accept()
    wire.greet()
    wire.receive('private message', { content: 'hello', from: 'me', to: 'b', offset: 3, clientOffset: entry.key })
    expect(entry).toMatchObject({ state: 'stored', offset: 3 })
    wire.sent('private message')[1]?.answer({ ok: true, offset: 3, duplicate: true })
    wire.recover(3)
    expect(offsets()).toEqual([3])
  })

  test('of one\'s own whose ack came late, after later messages of others, are told', async () => {
    const { client, wire, offsets } = await openLive()
    client.send(boris, 'hello')
    await settle()
    wire.messages(4)
    await vi.advanceTimersByTimeAsync(2_000)
    wire.sent('private message')[1]?.answer({ ok: true, offset: 3, duplicate: true })
    expect(offsets()).toEqual([4, 3])
  })

  test('of one\'s own that were taken by a new log before it was known to be new stay', async () => {
    const { client, wire, offsets } = await openLive()
    wire.messages(8)
    wire.lose()
    wire.accept()
    wire.greet()
    client.send(boris, 'hello')
    await settle()
    wire.messages(1)
    wire.sent('private message')[0]?.answer({ ok: true, offset: 2 })
    wire.messages(3)
    wire.recover(3, { recovered: false, reason: 'epoch_changed', epoch: 'e2' })
    expect(offsets()).toEqual([1, 2, 3])
  })
})

describe('history', () => {
  test('is asked for one page at a time', async () => {
    const { client, wire } = await openLive()
    const first = client.history(general, { before: 9, limit: 2 })
    const second = client.history({ user: 'b' }, { at: '2026-11-21T12:00:00.000Z' })
    await settle()
    expect(wire.emitted.map(({ name, args }) => [name, ...args])).toEqual([['history', { room: 'general', before: 9, limit: 2 }]])
    wire.emitted[0]?.answer({ ok: true, messages: [{ room: 'general', content: 'hi', offset: 3 }, { content: 7, offset: 4 }], more: true })
    expect(await first).toEqual({ messages: [{ conversation: general, content: 'hi', offset: 3 }], more: true })
    await settle()
    expect(wire.emitted[1]?.args).toEqual([{ with: 'b', at: '2026-11-21T12:00:00.000Z' }])
    wire.emitted[1]?.answer({ ok: false, error: { code: 'forbidden', message: 'no' } })
    await expect(second).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('needs a connection', async () => {
    const { client, wire } = await openLive()
    const asked = [client.history(general), client.history(general)]
    await settle()
    wire.lose()
    for (const page of await Promise.allSettled(asked)) expect(page).toMatchObject({ reason: { code: 'offline' } })
  })
})

describe('people', () => {
  test('are told of, those who are gone by their name', async () => {
    const { client, wire } = await openLive()
    const told: unknown[] = []
    client.on('people', (people) => told.push(people))
    client.on('person', (person) => told.push(person))
    wire.receive('users', [
      { userID: 'me', username: 'Ana', connected: true, messages: [] }, 'x',
      { userID: 'b', username: 'Boris', connected: false, messages: [{ content: 'hi', from: 'b', to: 'me', offset: 2 }] },
    ])
    wire.receive('user connected', { userID: 'b', username: 'Boris', connected: true, messages: [] })
    wire.receive('user disconnected', 'b')
    wire.receive('user disconnected', 'stranger')
    expect(told).toEqual([
      [
        { userID: 'me', username: 'Ana', connected: true, messages: [] },
        { userID: 'b', username: 'Boris', connected: false, messages: [{ conversation: { user: 'b' }, content: 'hi', from: 'b', offset: 2 }] },
      ],
      { userID: 'b', username: 'Boris', connected: true },
      { userID: 'b', username: 'Boris', connected: false },
    ])
  })
})

describe('several tabs', () => {
  /** Two tabs of one user. */
  async function openTwo() {
    const one = await openLive()
    const two = await openPage({ store: one.store, browser: one.browser })
    two.client.connect()
    two.wire.accept()
    two.wire.greet()
    two.wire.recover(0)
    two.take()
    return { one, two }
  }

  test('know how far one has read in any of them', async () => {
    const { one, two } = await openTwo()
    one.client.read(general, 5)
    one.client.read(general, 4)
    two.client.read(general, 5)
    expect(one.take()).toEqual(['read room/general to 5'])
    expect(two.take()).toEqual(['read room/general to 5'])
    expect(two.client.readAt(general)).toBe(5)
    await vi.advanceTimersByTimeAsync(250)
    expect((await one.store.load()).readAt).toEqual(new Map([['room/general', { offset: 5, epoch: 'e1' }]]))
  })

  test('know nothing of what one of them has read in another log', async () => {
    const { one, two } = await openTwo()
    const begin = ({ wire }: typeof one) => {
      wire.lose()
      wire.accept()
      wire.recover(3, { recovered: false, reason: 'epoch_changed', epoch: 'e2' })
    }
    begin(one)
    two.client.read(general, 500)
    expect(one.client.readAt(general)).toBeUndefined()
    begin(two)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(two.client.readAt(general)).toBeUndefined()
    expect((await one.store.load()).readAt).toEqual(new Map())
  })

  test('are in the same rooms', async () => {
    const { one, two } = await openTwo()
    void one.client.join('tea')
    one.wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 3 })
    two.wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 4 })
    expect(two.take()).toEqual(['room/tea after 4'])
    void two.client.leave('tea')
    expect(one.wire.sent('room leave')).toHaveLength(1)
    expect(one.take()).toEqual(['room/tea after 3', 'left room/tea'])
  })

  test('sign in together', async () => {
    const browser = new FakeBrowser()
    const store = new MemoryStore()
    const one = await openPage({ browser, store })
    const two = await openPage({ browser, store })
    two.client.connect()
    one.client.signIn('Ana')
    one.wire.accept()
    one.wire.greet()
    expect(two.client.identity).toEqual({ userID: 'me', username: 'Ana' })
    expect(two.wire.handshake()).toEqual({ ...known, rooms: ['general'] })
  })

  test('agree on one user when people sign in to two of them at once: the later one', async () => {
    const { client, wire, browser, take } = await openLive()
    const other = browser.open()
    const session = { sessionID: 'secret of b', userID: 'b', username: 'Boris', since: Date.now() - 1 }
    other.post({ type: 'signed in', session })
    expect(client.identity?.userID).toBe('me')
    other.post({ type: 'signed in', session: { ...session, since: Date.now() + 1 } })
    expect(take()).toEqual(['offline', 'nobody', 'connecting'])
    expect(wire.handshake()).toEqual({ sessionID: 'secret of b', rooms: ['general'] })
  })

  test('give up a name that is being entered when somebody has signed in to another one', async () => {
    const { client, wire, store, browser } = await openPage()
    client.signIn('Ana')
    const session = { sessionID: 'secret of b', userID: 'b', username: 'Boris', since: 1 }
    const before = client.send(general, 'of Ana')
    browser.open().post({ type: 'signed in', session })
    const after = client.send(general, 'of Boris')
    await settle()
    expect(await store.entries()).toMatchObject([{ content: 'of Ana' }, { content: 'of Boris', user: 'b' }])
    expect(wire.handshake()).toEqual({ sessionID: 'secret of b', rooms: ['general'] })
    wire.accept(true)
    wire.greet('b')
    await settle()
    expect(before).toMatchObject({ state: 'refused', refusal: { code: 'session_ended' } })
    expect(wire.sent('chat message').map(({ args }) => args)).toEqual([['of Boris', after.key]])
  })

  test('send nothing as one user that was typed as another, even if that tab has noticed nothing', async () => {
    const store = new MemoryStore()
    const one = await openKnown({ store })
    one.client.send(general, 'of Ana')
    await settle()
    const two = await openPage({ store, browser: one.browser })
    two.client.connect()
    two.wire.turnAway('invalid username')
    two.client.signIn('Boris')
    one.tabs.close()
    await vi.advanceTimersByTimeAsync(reloadMs)
    two.wire.accept()
    two.wire.greet('boris')
    two.wire.recover(0)
    await settle()
    expect(two.client.outbox).toMatchObject([{ content: 'of Ana', refusal: { code: 'session_ended' } }])
    expect(two.wire.sent('chat message')).toEqual([])
  })

  test('sign out together', async () => {
    const { one, two } = await openTwo()
    await one.client.signOut()
    expect(two.client.identity).toBeUndefined()
    expect(two.take()).toEqual(['offline', 'nobody'])
    expect(two.wire.connected).toBe(false)
  })

  test('send what a tab that is gone has left', async () => {
    const { one, two } = await openTwo()
    one.wire.lose()
    const { key } = one.client.send(general, 'a')
    await settle()
    one.client.close()
    await vi.advanceTimersByTimeAsync(reloadMs)
    expect(two.client.outbox).toMatchObject([{ key, content: 'a' }])
    expect(two.wire.sent('chat message').map(({ args }) => args)).toEqual([['a', key]])
  })
})

test('a page that is loaded again tells of what waits, and sends it', async () => {
  const { client, wire, store, browser } = await openLive()
  wire.lose()
  const { key } = client.send({ room: 'tea' }, 'a')
  client.close()
  const next = await openPage({ store, browser })
  const told: string[] = []
  next.client.on('outbox', (entry) => told.push(entry.key))
  expect(next.client.outbox).toMatchObject([{ key, state: 'pending', waitsFor: 'connection' }])
  next.client.connect()
  expect(told).toEqual([key])
  next.wire.accept()
  next.wire.greet()
  expect(next.wire.sent('room message').map(({ args }) => args)).toEqual([[{ room: 'tea', content: 'a', clientOffset: key }]])
})
