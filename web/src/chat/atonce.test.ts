/** What happens while something else is under way: pages that come late, reconnects, users who follow each other. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { general, RequestError, type Page } from '../tidemark'
import { ana, drawn, live, message, messages, offsets, range, start, view } from './fakechat'
import { FakeTidemark } from './faketidemark'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test('an older page that comes after its conversation was closed and opened again leaves no hole', async () => {
  const { client, chat } = start('', { log: messages(1, 600) })
  await live(client, 600)
  for (let i = 0; i < 4; i++) await chat.loadOlder()
  await drawn()
  expect(offsets(chat)).toEqual(range(351, 600))
  // the next page is slow
  const history = client.history.bind(client)
  const going: (() => void)[] = []
  const go = () => going.forEach((one) => one())
  client.history = async (c, r): Promise<Page> => {
    const page = await history(c, r)
    await new Promise<void>((resolve) => going.push(resolve))
    return page
  }
  void chat.loadOlder()
  await drawn()
  chat.openAddress('#/user/ana')
  await drawn()
  client.history = history
  chat.openAddress('#/room/general')
  await drawn()
  go()
  await drawn()
  const got = offsets(chat)
  expect(got).toEqual(range(got[0] ?? 0, 600))
})

test('a link to a recent message leads to the present', async () => {
  const { client, chat } = start('#/room/general@20', { log: messages(1, 300) })
  chat.openAddress('#/room/general@280')
  await drawn()
  client.emit('following', { conversation: general, after: 300 })
  client.enter('live')
  await drawn()
  client.say(message(301))
  await drawn()
  await chat.loadNewer()
  await drawn()
  expect(offsets(chat).at(-1)).toBe(301)
})

test('a link to nothing is looked for once, and not again after a reconnect', async () => {
  const { client, chat } = start('#/room/general@100', { log: messages(1, 150).filter(({ offset }) => offset !== 100).concat(messages(151, 300)) })
  await live(client, 300)
  while (view(chat).mode === 'around') {
    await chat.loadNewer()
    await drawn()
  }
  chat.dismissNotice()
  expect(view(chat).mode).toBe('live')
  client.enter('connecting')
  client.enter('catching up')
  client.enter('live')
  await drawn()
  expect(chat.state.notice).toBeUndefined()
  expect(view(chat).mode).toBe('live')
})

test('who has read on from a link to the present stays there through a reconnect', async () => {
  const { client, chat } = start('#/room/general@100', { log: messages(1, 300) })
  await live(client, 300)
  while (view(chat).mode === 'around') {
    await chat.loadNewer()
    await drawn()
  }
  chat.standsAtEnd(true)
  for (const m of messages(301, 2400)) client.say(m)
  await drawn()
  expect(view(chat).mode).toBe('live')
  client.enter('connecting')
  client.enter('live')
  await drawn()
  expect(view(chat).mode).toBe('live')
})

test('the next user is not put where the last one was', async () => {
  const { client, chat, address } = start('#/room/secret')
  await live(client, 0)
  expect(client.rooms).toContain('secret')
  client.rooms = ['general'] // what the library does at sign-out
  await chat.signOut()
  await drawn()
  client.identity = { userID: 'bob', username: 'Bob' }
  client.emit('identity', client.identity)
  await drawn()
  expect(address()).not.toContain('secret')
  expect(client.rooms).toEqual(['general'])
})

test('a conversation that stands open while nobody looks is bounded', async () => {
  const { client, chat } = start('', { log: messages(1, 10) })
  await live(client, 10)
  chat.standsAtEnd(true)
  chat.lookedAway() // the window has no focus
  for (let i = 0; i < 20; i++) {
    for (const m of messages(11 + i * 1000, 10 + (i + 1) * 1000)) client.emit('message', m)
    await drawn()
  }
  expect(view(chat).messages.length).toBeLessThanOrEqual(2_000)
})

test('unread messages are counted beyond the page that is shown first', async () => {
  const tea = { conversation: { room: 'tea' } }
  const { client, chat } = start('', { log: messages(1, 200, tea) })
  client.rooms = ['general', 'tea']
  client.read(tea.conversation, 120)
  client.emit('following', { conversation: tea.conversation, after: 200 })
  await live(client, 200)
  expect(chat.state.rooms.find(({ title }) => title === 'tea')?.unread).toBe(80)
})

test('who sees all that comes to a conversation from its beginning sees no line', async () => {
  const { client, chat } = start('', { log: messages(1, 3), readAt: 3 })
  client.emit('following', { conversation: general, after: 0 })
  for (const m of messages(1, 3)) client.emit('message', m)
  client.enter('live')
  await drawn()
  chat.readToEnd()
  await drawn()
  client.say(message(4))
  await drawn()
  expect(view(chat).newAfter).toBeUndefined()
})

test('a room that cannot be read keeps no other one from being counted', async () => {
  const tea = { conversation: { room: 'tea' } }
  const { client, chat } = start('', { log: messages(1, 20, tea) })
  client.rooms = ['general', 'bad', 'tea']
  client.emit('following', { conversation: { room: 'bad' }, after: 20 })
  client.read(tea.conversation, 10)
  const history = client.history.bind(client)
  client.history = async (c, r) => {
    if ('room' in c && c.room === 'bad') throw new RequestError('timeout', '')
    return history(c, r)
  }
  client.emit('following', { conversation: { room: 'bad' }, after: 20 })
  client.emit('following', { conversation: tea.conversation, after: 20 })
  await live(client, 20)
  expect(chat.state.rooms.find(({ title }) => title === 'tea')?.unread).toBe(10)
})

test('what is typed in a room that goes away is not said in general', async () => {
  const { client, chat } = start('#/room/secret')
  await live(client, 0)
  expect(view(chat).title).toBe('secret')
  client.rooms = ['general']
  client.emit('left', { room: 'secret' })
  expect(view(chat).title).toBe('secret') // this is still on the screen
  chat.send({ room: 'secret' }, 'the password is 1234')
  expect(client.outbox.map(({ conversation }) => conversation)).toEqual([{ room: 'secret' }])
})

test('what is typed as the past opens is said', async () => {
  const { client, chat } = start('', { log: messages(1, 300) })
  await live(client, 300)
  await chat.travelTo({ offset: 100 })
  expect(view(chat).mode).toBe('live') // the composer is on the screen
  chat.send(general, 'a long text') // the composer clears its field
  expect(client.outbox.length).toBe(1)
})

test('that a message does not exist is of no interest once one has gone on', async () => {
  const { client, chat } = start('', { log: messages(10, 300) })
  await live(client, 300)
  chat.openAddress('#/room/general@7')
  chat.openAddress('#/user/ana')
  await drawn()
  expect(chat.state.notice).toBeUndefined()
})

test('notices to one user are not shown to the next', async () => {
  const { client, chat } = start('', { log: messages(10, 300) })
  await live(client, 300)
  chat.openAddress('#/room/general@7')
  await drawn()
  await chat.signOut()
  await drawn()
  expect(chat.state.notice).toBeUndefined()
})

test('the first message of all has a line if it comes while one looks away', async () => {
  const { client, chat } = start('')
  await live(client, 0)
  chat.readToEnd()
  chat.lookedAway()
  client.say(message(5))
  await drawn()
  expect(view(chat).newAfter).toBeDefined()
})

test('a message that is stored beyond a replay is shown as waiting until it comes', async () => {
  const { client, chat } = start('')
  await live(client, 0)
  client.enter('connecting')
  client.enter('catching up')
  const e = client.send(general, 'x')
  client.store(e, 9)
  client.enter('live') // ack before recovery, message after it
  await drawn()
  expect(view(chat).waiting.length).toBe(1)
})

test('a link is looked for once, however many rooms are followed meanwhile', async () => {
  const { client, chat } = start('', { log: messages(1, 300) })
  client.rooms = ['general', ...range(1, 20).map((n) => `r${n}`)]
  chat.openAddress('#/room/general@100')
  client.asked.length = 0
  client.emit('following', { conversation: undefined, after: 300 })
  for (const room of client.rooms) client.emit('following', { conversation: { room }, after: 300 })
  await drawn()
  expect(client.asked.length).toBeLessThanOrEqual(4)
})

test('a refused message for a room one has left is to be found', async () => {
  const { client, chat } = start('')
  await live(client, 0)
  const e = client.send({ room: 'left' }, 'x')
  e.state = 'refused'
  client.emit('outbox', e)
  await drawn()
  expect(chat.state.rooms.map(({ title, refused }) => [title, refused])).toEqual([['general', 0], ['left', 1]])
})

test('that nothing is kept any more is told at once', async () => {
  const { client, chat } = start('')
  await live(client, 0)
  client.keeps = false
  client.send(general, 'x')
  await drawn()
  expect(chat.state.keeps).toBe(false)
})

test('an older page that comes after a jump to the newest leaves no hole', async () => {
  const { client, chat } = start('', { log: messages(1, 3000) })
  await live(client, 3000)
  for (let i = 0; i < 40; i++) await chat.loadOlder()
  await drawn()
  const history = client.history.bind(client)
  let go = () => {}
  client.history = async (c, r) => {
    const page = await history(c, r)
    await new Promise<void>((resolve) => (go = resolve))
    return page
  }
  void chat.loadOlder()
  await drawn()
  chat.standsAtEnd(true) // jumped to the newest
  client.say(message(3001))
  await drawn()
  go()
  await drawn()
  const got = offsets(chat)
  expect(got).toEqual(range(got[0] ?? 0, 3001))
})

test('what could not be loaded is loaded where one is when it is tried again', async () => {
  const { client, chat } = start('', { log: messages(1, 300) })
  await live(client, 300)
  client.away = true
  await chat.travelTo({ offset: 100 })
  await chat.loadOlder()
  await drawn()
  expect(view(chat)).toMatchObject({ mode: 'live', failure: expect.any(String) })
  client.away = false
  await chat.again()
  await drawn()
  expect(view(chat)).toMatchObject({ mode: 'live', failure: undefined })
  expect(offsets(chat)).toEqual(range(201, 300))
})

test('what could not be loaded is tried again by itself, as long as it is looked at', async () => {
  const { client, chat } = start('', { log: messages(1, 30) })
  client.away = true
  await live(client, 30)
  expect(view(chat).failure).toBeDefined()
  client.away = false
  await vi.advanceTimersByTimeAsync(10_000)
  await drawn()
  expect(offsets(chat)).toEqual(range(1, 30))
  client.away = true
  await chat.travelTo({ offset: 20 })
  chat.openAddress('#/user/ana')
  await drawn()
  const travels = () => client.asked.filter(({ before }) => before === 21).length
  expect(travels()).toBe(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(travels()).toBe(1)
})

test('a room is not left while something typed for it is not sent', async () => {
  const { client, chat } = start('#/room/tea')
  await live(client, 0)
  chat.send({ room: 'tea' }, 'x')
  await expect(chat.leaveRoom('tea')).rejects.toThrow('1 message to this room is not sent')
  expect(client.rooms).toContain('tea')
  const [entry] = client.outbox
  if (entry !== undefined) client.store(entry, 1)
  await chat.leaveRoom('tea')
  expect(client.rooms).not.toContain('tea')
})

test('who is signed out without doing so himself is told, with what was not sent; who signs out is not', async () => {
  const { client, chat } = start()
  await live(client, 0)
  chat.send(general, 'x')
  await FakeTidemark.prototype.signOut.call(client)
  expect(chat.state.ended).toEqual({ username: 'Mia', words: expect.stringContaining('no longer knows you as Mia') })
  expect(chat.state.ended?.words).toContain('1 message was not sent')
  client.signIn('Mia')
  await chat.signOut()
  expect(chat.state.ended).toBeUndefined()
})

test('who goes no longer types, and a notice goes with what it is about', async () => {
  const { client, chat } = start('#/room/general@7', { log: messages(10, 20) })
  await live(client, 20)
  client.emit('typing', { conversation: general, userID: 'ana', username: 'Ana', typing: true })
  await drawn()
  expect(view(chat).typing).toEqual(['Ana'])
  expect(chat.state.notice).toContain('no message 7')
  client.emit('person', { ...ana, connected: false })
  chat.openAddress('#/room/general')
  await drawn()
  expect(view(chat).typing).toEqual([])
  expect(chat.state.notice).toBeUndefined()
})
