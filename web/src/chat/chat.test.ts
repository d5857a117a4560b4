import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { general, type Conversation } from '../tidemark'
import { LiveChat } from './chat'
import { ana, drawn, live, me, message, messages, offsets, range, start, view } from './fakechat'
import { FakeTidemark } from './faketidemark'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('the open conversation', () => {
  test('is general at first, with its newest page and what comes', async () => {
    const { client, chat, address } = start('', { log: messages(1, 80) })
    await live(client, 80)
    expect(offsets(chat)).toEqual(range(31, 80))
    client.say(message(81))
    await drawn()
    expect(offsets(chat)).toEqual(range(31, 81))
    expect(address()).toBe('#/room/general')
  })

  test('loads what is older, page by page, down to the beginning', async () => {
    const { client, chat } = start('', { log: messages(1, 120) })
    await live(client, 120)
    await chat.loadOlder()
    expect(view(chat).older).toBe(true)
    await chat.loadOlder()
    await drawn()
    expect(offsets(chat)).toEqual(range(1, 120))
    expect(view(chat).older).toBe(false)
  })

  test('shows a replay that overlaps nothing and loads what was before it', async () => {
    const { client, chat } = start('', { log: messages(1, 100) })
    client.emit('following', { conversation: general, after: 90 })
    for (const missed of messages(91, 100)) client.emit('message', missed)
    client.enter('live')
    await drawn()
    expect(offsets(chat)).toEqual(range(41, 100))
  })

  test('says why nothing could be loaded, and loads it when the connection is back', async () => {
    const { client, chat } = start('', { log: messages(1, 10) })
    client.away = true
    await live(client, 10)
    expect(view(chat).failure).toBeDefined()
    client.away = false
    client.enter('connecting')
    client.enter('live')
    await drawn()
    expect(view(chat).failure).toBeUndefined()
    expect(offsets(chat)).toEqual(range(1, 10))
  })

  test('is loaded anew where some of what was missed is no longer in the log', async () => {
    const { client, chat } = start('', { log: messages(1, 10) })
    await live(client, 10)
    client.log.splice(0, 10, ...messages(40, 60))
    client.emit('discontinuity', { reset: false, reason: 'trimmed' })
    client.emit('following', { conversation: general, after: 60 })
    client.enter('live')
    await drawn()
    expect(offsets(chat)).toEqual(range(40, 60))
    expect(chat.state.notice).toBeDefined()
  })

  test('begins anew with another log', async () => {
    const { client, chat } = start('', { log: messages(1, 10) })
    await live(client, 10)
    client.log.splice(0)
    client.emit('discontinuity', { reset: true, reason: 'epoch_changed' })
    client.emit('following', { conversation: general, after: 0 })
    client.say(message(1, { content: 'new' }))
    client.enter('live')
    await drawn()
    expect(view(chat).messages.map(({ content }) => content)).toEqual(['new'])
    expect(chat.state.notice).toBeDefined()
  })
})

describe('unread messages', () => {
  test('are those of others that came while one looked elsewhere, and go when read', async () => {
    const { client, chat } = start()
    await live(client, 0)
    client.emit('people', [{ ...ana, messages: [] }])
    client.say(message(1, { conversation: { user: 'ana' } }))
    client.say(message(2, { conversation: { user: 'ana' }, from: 'me' }))
    client.say(message(3, { conversation: { user: 'ana' } }))
    await drawn()
    expect(chat.state.people.map(({ title, unread }) => [title, unread])).toEqual([['Ana', 2]])
    chat.openAddress('#/user/ana')
    chat.readToEnd()
    await drawn()
    expect(chat.state.people.map(({ unread }) => unread)).toEqual([0])
  })

  test('are known again after a reload, of rooms and of people', async () => {
    const { client, chat } = start('#/user/ana', { log: messages(1, 30), readAt: 25 })
    await live(client, 30)
    const said = [message(29, { conversation: { user: 'ana' } }), message(30, { conversation: { user: 'ana' }, from: 'me' })]
    client.emit('people', [{ ...ana, messages: said }])
    await drawn()
    expect(chat.state.rooms.map(({ unread }) => unread)).toEqual([5])
    expect(chat.state.people.map(({ unread }) => unread)).toEqual([1])
  })

  test('begin below a line where one left off', async () => {
    const { client, chat } = start('', { log: messages(1, 30), readAt: 25 })
    await live(client, 30)
    chat.readToEnd()
    await drawn()
    expect(view(chat).newAfter).toBe(25)
  })

  test('need no line for who has seen them come, and a line for who has looked away', async () => {
    const { client, chat } = start('', { log: messages(1, 30), readAt: 30 })
    await live(client, 30)
    chat.readToEnd()
    client.say(message(31))
    await drawn()
    chat.readToEnd()
    expect(view(chat).newAfter).toBeUndefined()
    chat.lookedAway()
    client.say(message(32))
    await drawn()
    expect(view(chat).newAfter).toBe(31)
    expect(chat.state.rooms.map(({ unread }) => unread)).toEqual([1])
  })

  test('are none in a room that one has just joined', async () => {
    const { client, chat } = start('', { log: messages(1, 30, { conversation: { room: 'tea' } }) })
    await live(client, 30)
    await chat.joinRoom('tea')
    chat.openAddress('#/room/tea')
    await drawn()
    expect(offsets(chat)).toEqual(range(1, 30))
    expect(chat.state.rooms.find(({ title }) => title === 'tea')?.unread).toBe(0)
  })
})

describe("one's own message", () => {
  test('waits until it comes, whether the ack comes before it or after', async () => {
    const { client, chat } = start()
    await live(client, 0)
    chat.send(general, 'first')
    chat.send(general, 'second')
    await drawn()
    const waiting = () => view(chat).waiting.map(({ content, state }) => [content, state])
    expect(waiting()).toEqual([['first', 'pending'], ['second', 'pending']])
    const [first, second] = client.outbox
    client.store(first!, 1)
    await drawn()
    expect(waiting()).toEqual([['first', 'stored'], ['second', 'pending']])
    client.say(message(1, { from: 'me', content: 'first' }))
    client.say(message(2, { from: 'me', content: 'second' }))
    client.store(second!, 2)
    await drawn()
    expect(waiting()).toEqual([])
    expect(offsets(chat)).toEqual([1, 2])
  })

  test('is not shown as waiting once a replay has ended that must have brought it', async () => {
    const { client, chat } = start()
    await live(client, 0)
    chat.send(general, 'lost echo')
    client.store(client.outbox[0]!, 7)
    client.enter('connecting')
    client.emit('progress', { from: 0, offset: 7, count: 0 })
    client.enter('live')
    await drawn()
    expect(view(chat).waiting).toEqual([])
  })
})

test('who opens another conversation no longer types in this one', async () => {
  const { client, chat } = start()
  await live(client, 0)
  const typing = vi.spyOn(client, 'typing')
  chat.typing(general, true)
  chat.openAddress('#/user/ana')
  expect(typing.mock.calls).toEqual([[general, true], [general, false]])
})

describe('a link to a message', () => {
  test('opens the past around it, which can be read on to the present', async () => {
    const { client, chat } = start('#/room/general@100', { log: messages(1, 300) })
    await live(client, 300)
    expect(view(chat)).toMatchObject({ mode: 'around', target: 100, older: true, newer: true })
    expect(offsets(chat)).toEqual(range(51, 150))
    client.say(message(301))
    while (view(chat).mode === 'around') {
      await chat.loadNewer()
      await drawn()
    }
    expect(offsets(chat)).toEqual(range(51, 301))
    expect(view(chat).newer).toBe(false)
    client.say(message(302))
    await drawn()
    expect(offsets(chat).at(-1)).toBe(302)
  })

  test('to a message that is there already stays live', async () => {
    const { client, chat } = start('', { log: messages(1, 40) })
    await live(client, 40)
    const { visit } = view(chat)
    chat.openAddress('#/room/general@20')
    await drawn()
    expect(view(chat)).toMatchObject({ mode: 'live', target: 20 })
    expect(view(chat).visit).not.toBe(visit)
  })

  test('to one that does not exist says so', async () => {
    const { client, chat } = start('#/room/general@7', { log: messages(10, 20) })
    await live(client, 20)
    expect(chat.state.notice).toContain('no message 7')
  })

  test('into a room one is not in joins it', async () => {
    const { client, chat } = start()
    await live(client, 0)
    chat.openAddress('#/room/tea')
    await drawn()
    expect(client.rooms).toEqual(['general', 'tea'])
    expect(view(chat).title).toBe('tea')
  })
})

describe('time travel', () => {
  test('shows a conversation as it was at an offset, without what came later', async () => {
    const { client, chat } = start('', { log: messages(1, 300) })
    await live(client, 300)
    await chat.travelTo({ offset: 100 })
    client.say(message(301))
    await drawn()
    expect(view(chat)).toMatchObject({ mode: 'as of', asOf: 100, newer: false })
    expect(offsets(chat)).toEqual(range(51, 100))
    await chat.loadOlder()
    await drawn()
    expect(offsets(chat)).toEqual(range(1, 100))
    chat.backToNow()
    await drawn()
    expect(view(chat).mode).toBe('live')
    expect(offsets(chat).at(-1)).toBe(301)
  })

  test('or at a time', async () => {
    const { client, chat } = start('', { log: messages(1, 300) })
    await live(client, 300)
    await chat.travelTo({ at: message(77).at ?? '' })
    await drawn()
    expect(view(chat).asOf).toBe(77)
    expect(offsets(chat)).toEqual(range(28, 77))
  })

  test('goes where it was asked to go last', async () => {
    const { client, chat } = start('', { log: messages(1, 300) })
    await live(client, 300)
    await Promise.all([chat.travelTo({ offset: 10 }), chat.travelTo({ offset: 20 }), chat.travelTo({ offset: 30 })])
    await drawn()
    expect(view(chat)).toMatchObject({ asOf: 30, loading: undefined })
    expect(offsets(chat)).toEqual(range(1, 30))
  })

  test('knows the ends of a conversation', async () => {
    const { client, chat } = start('', { log: messages(5, 9) })
    await live(client, 9)
    expect(await chat.bounds()).toEqual({ first: message(5), last: message(9) })
    const conversation: Conversation = { user: 'ana' }
    chat.openAddress(chat.address(conversation))
    expect(await chat.bounds()).toBeUndefined()
  })
})

describe('who one is', () => {
  test('nobody at first, then somebody in general', async () => {
    const client = new FakeTidemark()
    const chat = new LiveChat(client, { hash: () => '', show: () => {} })
    expect(chat.state.phase).toBe('nobody')
    client.signIn = () => {}
    chat.signIn('Mia')
    expect(chat.state.phase).toBe('entering')
    client.identity = me
    client.emit('identity', me)
    await drawn()
    expect(chat.state.phase).toBe('somebody')
    expect(view(chat).title).toBe('general')
  })

  test('a name that is refused is asked for again', () => {
    const client = new FakeTidemark()
    const chat = new LiveChat(client, { hash: () => '', show: () => {} })
    client.signIn = () => {}
    chat.signIn('')
    client.enter('offline', false, 'invalid username')
    expect(chat.state).toMatchObject({ phase: 'nobody', refusedName: 'invalid username' })
  })

  test('signing out leaves nothing on the page', async () => {
    const { client, chat } = start('', { log: messages(1, 10) })
    await live(client, 10)
    await chat.signOut()
    await drawn()
    expect(chat.state).toMatchObject({ phase: 'nobody', view: undefined, people: [] })
  })
})

test('a replay of thousands is drawn a few times, and bounded in memory', async () => {
  const { client, chat } = start()
  await drawn()
  client.emit('following', { conversation: general, after: 0 })
  for (const missed of messages(1, 10_000)) client.emit('message', missed)
  expect(offsets(chat)).toEqual([])
  client.enter('live')
  chat.standsAtEnd(true)
  await drawn()
  expect(offsets(chat).length).toBeLessThanOrEqual(2_000)
  expect(offsets(chat).at(-1)).toBe(10_000)
  expect(view(chat).older).toBe(true)
})
