/** The small parts, each by itself. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { general } from './contract'
import { Emitter } from './emitter'
import { FakeWire } from './fakewire'
import { Keeper } from './keeper'
import { MemoryStore } from './memory'
import { backoffMs } from './pace'
import { ProgressMeter } from './progress'
import { Requests } from './requests'
import type { ClientEvents, Progress } from './tidemark'
import { transmitter } from './transmit'
import { Typists } from './typists'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('backoff doubles from one second to thirty, less up to a half', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1e9].map((failures) => backoffMs(failures, () => 0))).toEqual(
    [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000],
  )
  expect(backoffMs(2, () => 1)).toBe(2_000)
})

describe('a listener', () => {
  test('that throws keeps no other one from being told, and its error is not hidden', async () => {
    const uncaught: unknown[] = []
    const emitter = new Emitter<{ x: number }>()
    const heard: number[] = []
    vi.stubGlobal('queueMicrotask', (task: () => void) => {
      try {
        task()
      } catch (error) {
        uncaught.push(error)
      }
    })
    emitter.on('x', () => {
      throw new Error('no')
    })
    emitter.on('x', (value) => heard.push(value))
    emitter.emit('x', 7)
    vi.unstubAllGlobals()
    expect(heard).toEqual([7])
    expect(uncaught).toEqual([new Error('no')])
  })

  test('is told no more once it is removed', () => {
    const emitter = new Emitter<{ x: number }>()
    const heard: number[] = []
    const remove = emitter.on('x', (value) => heard.push(value))
    emitter.emit('x', 1)
    remove()
    emitter.emit('x', 2)
    expect(heard).toEqual([1])
  })
})

describe('progress', () => {
  const recovery = { recovered: true, from: 5, head: 99, count: 40, epoch: 'e' }

  test('is told ten times a second at most, and once at the end', () => {
    const told: Progress[] = []
    const meter = new ProgressMeter((progress) => told.push(progress))
    meter.start(5)
    meter.announce({ from: 5, head: 90 })
    for (let offset = 6; offset <= 45; offset++) {
      vi.advanceTimersByTime(10)
      meter.message(offset)
    }
    expect(told).toEqual([5, 15, 25, 35, 45].map((offset) => ({ from: 5, head: 90, offset, count: offset - 5 })))
    meter.end(recovery)
    expect(told.slice(5)).toEqual([{ from: 5, head: 99, offset: 99, count: 40 }])
    meter.message(100)
    expect(told).toHaveLength(6)
  })

  test('has no head where none was announced', () => {
    const told: Progress[] = []
    const meter = new ProgressMeter((progress) => told.push(progress))
    meter.start(5)
    meter.message(7)
    expect(told).toEqual([{ from: 5, offset: 7, count: 1 }])
  })
})

describe('what is kept', () => {
  test('is written four times a second at most, and at once when the page is hidden', async () => {
    const store = new MemoryStore()
    await store.signIn({ sessionID: 's', userID: 'u', username: 'n', since: 1 })
    const place = vi.spyOn(store, 'place')
    const read = vi.spyOn(store, 'read')
    const keeper = new Keeper(store, new Map(), 'e')
    for (let offset = 1; offset <= 100; offset++) {
      keeper.place({ offset, epoch: 'e' })
      expect(keeper.read('room/a', offset)).toEqual({ offset, epoch: 'e' })
      vi.advanceTimersByTime(5)
    }
    vi.advanceTimersByTime(250)
    expect(place.mock.calls.map(([{ offset }]) => offset)).toEqual([1, 50, 100])
    expect(read.mock.calls).toEqual([50, 100].map((offset) => ['room/a', { offset, epoch: 'e' }]))
    keeper.place({ offset: 101, epoch: 'e' })
    keeper.flush()
    expect((await store.load()).cursor).toEqual({ offset: 101, epoch: 'e' })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is no place of which the log is not known, and no step back', () => {
    const store = new MemoryStore()
    const place = vi.spyOn(store, 'place')
    const keeper = new Keeper(store, new Map([['room/a', { offset: 7, epoch: 'e' }]]), 'e')
    keeper.place({ offset: 3 })
    expect(keeper.read('room/a', 7)).toBeUndefined()
    keeper.flush()
    expect(place).not.toHaveBeenCalled()
    expect(keeper.readAt('room/a')).toBe(7)
  })

  test('is no position of another log, once it is known which one this is; those of this one stay', async () => {
    const store = new MemoryStore()
    await store.read('room/a', { offset: 7, epoch: 'e1' })
    await store.read('room/b', { offset: 3, epoch: 'e2' })
    const keeper = new Keeper(store, (await store.load()).readAt, undefined)
    keeper.read('room/c', 5)
    keeper.flush()
    expect((await store.load()).readAt.get('room/c')).toBeUndefined()
    keeper.log('e2', false)
    expect((['room/a', 'room/b', 'room/c'] as const).map((key) => keeper.readAt(key))).toEqual([undefined, 3, 5])
    keeper.flush()
    expect((await store.load()).readAt).toEqual(new Map([['room/b', { offset: 3, epoch: 'e2' }]]))
    expect(keeper.readElsewhere('room/b', { offset: 9, epoch: 'e1' })).toBe(false)
    expect(keeper.readElsewhere('room/b', { offset: 4, epoch: 'e2' })).toBe(true)
  })

  test('is no position of a log that begins anew under its old name', async () => {
    const store = new MemoryStore()
    const keeper = new Keeper(store, new Map([['room/a', { offset: 7, epoch: 'e' }]]), 'e')
    keeper.log('e', false)
    expect(keeper.readAt('room/a')).toBe(7)
    keeper.log('e', true)
    expect(keeper.readAt('room/a')).toBeUndefined()
    expect(keeper.read('room/a', 8)).toEqual({ offset: 8, epoch: 'e' })
    keeper.forgetPlace()
    expect(keeper.read('room/a', 9)).toEqual({ offset: 9 })
    keeper.flush()
  })
})

describe('typing', () => {
  function setUp() {
    const wire = new FakeWire(() => ({ rooms: [] }))
    const told: string[] = []
    const emit = <E extends keyof ClientEvents>(_: E, value: ClientEvents[E]) => {
      const { conversation, username, typing } = value as ClientEvents['typing']
      told.push(`${username} ${typing ? 'types' : 'ends'} in ${Object.values(conversation).join()}`)
    }
    const typists = new Typists(wire, emit, () => 'me')
    wire.accept()
    return { wire, typists, take: () => told.splice(0) }
  }

  test('goes out every three seconds at most, and its end only after it', () => {
    const { wire, typists } = setUp()
    typists.say(general, false)
    for (let key = 0; key < 50; key++) {
      typists.say(general, true)
      vi.advanceTimersByTime(100)
    }
    typists.say({ user: 'u' }, true)
    typists.say(general, false)
    typists.say(general, false)
    typists.say(general, true)
    expect(wire.emitted.map(({ name, args }) => [name, ...args])).toEqual([
      ['typing', { room: 'general' }], ['typing', { room: 'general' }], ['typing', { to: 'u' }],
      ['stop typing', { room: 'general' }], ['typing', { room: 'general' }],
    ])
  })

  test('does not go out without a connection', () => {
    const { wire, typists } = setUp()
    wire.lose()
    typists.say(general, true)
    expect(wire.emitted).toEqual([])
  })

  test('of others is in the conversation that they type in', () => {
    const { wire, take } = setUp()
    wire.receive('typing', { username: 'Ana', userID: 'a', room: 'tea' })
    wire.receive('typing', { username: 'Ana', userID: 'a' })
    wire.receive('typing', { username: 'guest' })
    wire.receive('typing', { username: 'myself', userID: 'me', room: 'tea' })
    wire.receive('typing', 7)
    wire.receive('stop typing', { username: 'Ana', userID: 'a' })
    wire.receive('stop typing', { username: 'nobody' })
    expect(take()).toEqual(['Ana types in tea', 'Ana types in a', 'guest types in general', 'Ana ends in a'])
  })

  test('of others ends by itself unless it is renewed, and with the connection', () => {
    const { wire, typists, take } = setUp()
    wire.receive('typing', { username: 'Ana', userID: 'a', room: 'tea' })
    vi.advanceTimersByTime(5_000)
    wire.receive('typing', { username: 'Ana', userID: 'a', room: 'tea' })
    vi.advanceTimersByTime(5_999)
    expect(take()).toEqual(['Ana types in tea'])
    vi.advanceTimersByTime(1)
    expect(take()).toEqual(['Ana ends in tea'])
    wire.receive('typing', { username: 'Ana', userID: 'a', room: 'tea' })
    typists.lost()
    expect(take()).toEqual(['Ana types in tea', 'Ana ends in tea'])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a request', () => {
  const read = (reply: unknown) => reply as { value: number } | { code: string; message: string; retryAfterMs?: number } | undefined

  function setUp() {
    const wire = new FakeWire(() => ({ rooms: [] }))
    wire.accept()
    return { wire, requests: new Requests(wire, 10_000) }
  }

  test('is answered, refused, or not understood', async () => {
    const { wire, requests } = setUp()
    const asked = [1, 2, 3].map((number) => requests.ask('ask', { number }, read))
    const replies = [{ value: 1 }, { code: 'forbidden', message: 'no' }, undefined]
    wire.emitted.forEach(({ answer }, index) => answer(replies[index]))
    expect(await Promise.allSettled(asked)).toMatchObject([
      { value: { value: 1 } }, { reason: { code: 'forbidden', message: 'no' } }, { reason: { code: 'unknown' } },
    ])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is asked again after a rate limit', async () => {
    const { wire, requests } = setUp()
    const asked = requests.ask('ask', {}, read)
    wire.emitted[0]?.answer({ code: 'rate_limited', message: '', retryAfterMs: 300 })
    vi.advanceTimersByTime(299)
    expect(wire.emitted).toHaveLength(1)
    vi.advanceTimersByTime(1)
    wire.emitted[1]?.answer({ value: 5 })
    expect(await asked).toEqual({ value: 5 })
  })

  test('fails when there is no connection, when it is lost, and after ten seconds', async () => {
    const { wire, requests } = setUp()
    const late: number[] = []
    const slow = requests.ask('ask', {}, read, (answer) => late.push((answer as { value: number }).value))
    const timedOut = expect(slow).rejects.toMatchObject({ code: 'timeout' })
    await vi.advanceTimersByTimeAsync(10_000)
    await timedOut
    wire.emitted[0]?.answer({ value: 6 })
    expect(late).toEqual([6])
    const cut = requests.ask('ask', {}, read)
    const limited = requests.ask('ask', {}, read)
    wire.emitted[2]?.answer({ code: 'rate_limited', message: '' })
    wire.lose()
    requests.lost()
    await expect(cut).rejects.toMatchObject({ code: 'offline' })
    await expect(limited).rejects.toMatchObject({ code: 'offline' })
    await expect(requests.ask('ask', {}, read)).rejects.toMatchObject({ code: 'offline' })
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a message on the wire', () => {
  const entry = (conversation: { room: string } | { user: string }, content = 'hi') => {
    return { key: 'k', conversation, content, typedAt: 0, state: 'pending' as const, transmissions: 0 }
  }

  test('is of the event of its conversation', () => {
    const wire = new FakeWire(() => ({ rooms: [] }))
    wire.accept()
    const transmit = transmitter(wire, () => undefined)
    for (const conversation of [general, { room: 'tea' }, { user: 'u' }]) transmit(entry(conversation), () => {})
    expect(wire.emitted.map(({ name, args }) => [name, ...args])).toEqual([
      ['chat message', 'hi', 'k'],
      ['room message', { room: 'tea', content: 'hi', clientOffset: 'k' }],
      ['private message', { to: 'u', content: 'hi', clientOffset: 'k' }],
    ])
  })

  test('so long that the connection would be closed for it is refused at once', () => {
    const wire = new FakeWire(() => ({ rooms: [] }))
    wire.accept()
    const transmit = transmitter(wire, () => 1_000)
    const answers: unknown[] = []
    transmit(entry(general, '\u00e9'.repeat(500)), (ack) => answers.push(ack))
    transmit(entry(general, '\u00e9'.repeat(400)), (ack) => answers.push(ack))
    expect(answers).toMatchObject([{ ok: false, error: { code: 'too_large' } }])
    expect(wire.emitted).toHaveLength(1)
  })
})
