import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { LogEvent } from './parse'
import type { Connection } from './stream'
import { LogStream } from './stream'

/** An EventSource that a test is the other end of. */
class FakeSource extends EventTarget {
  readyState = 0
  constructor(readonly url: string) { super() }

  close(): void { this.readyState = 2 }

  say(name: string, value: unknown): void {
    this.readyState = 1
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(value) }))
  }

  fail(readyState: number): void {
    this.readyState = readyState
    this.dispatchEvent(new Event('error'))
  }
}

const state = { epoch: 'e', first: 1, last: 5, position: 5, time: '2026-11-21T20:00:00Z' }
const sources: FakeSource[] = []
let told: { connections: Connection[], begun: boolean[], events: LogEvent[], skipped: number[] }
let ask: (url: string) => Promise<Response>
let stream: LogStream

const last = <T>(of: readonly T[]): T => {
  const value = of.at(-1)
  if (value === undefined) throw new Error('there is none')
  return value
}

beforeEach(() => {
  vi.useFakeTimers()
  sources.length = 0
  told = { connections: [], begun: [], events: [], skipped: [] }
  ask = () => Promise.reject(new Error('away'))
  stream = new LogStream({
    connection: (connection) => told.connections.push(connection),
    begin: (_, fresh) => told.begun.push(fresh),
    head: () => {},
    event: (event) => told.events.push(event),
    skipped: (count) => told.skipped.push(count),
    persister: () => {},
    signed: () => {},
  }, {
    open: (url) => {
      const source = new FakeSource(url)
      sources.push(source)
      return source as unknown as EventSource
    },
    ask: (url) => ask(url),
    random: () => 1,
  })
  stream.open()
})

afterEach(() => {
  stream.close()
  vi.useRealTimers()
})

function event(offset: number): object {
  return { offset, at: state.time, type: 'message.posted', conversation: 'room/general', bytes: 1 }
}

test('it is connecting until the stream says how the log stands, then live', () => {
  expect(told.connections).toEqual([{ phase: 'connecting' }])
  last(sources).say('state', state)
  last(sources).say('event', event(5))
  last(sources).say('skipped', { count: 2 })
  last(sources).say('event', { offset: 'no' })
  expect(last(told.connections)).toEqual({ phase: 'live' })
  expect([told.begun, told.events.map((e) => e.offset), told.skipped]).toEqual([[true], [5], [2]])
})

test('where the browser comes back by itself it is left to it, and goes on', () => {
  last(sources).say('state', state)
  last(sources).say('event', event(5))
  last(sources).fail(0)
  expect(last(told.connections)).toEqual({ phase: 'connecting' })
  last(sources).fail(0)
  expect(last(told.connections)).toEqual({ phase: 'offline' })
  vi.advanceTimersByTime(19_999)
  expect(sources).toHaveLength(1)
  last(sources).say('state', state)
  last(sources).say('event', event(5))
  last(sources).say('event', event(6))
  expect(last(told.connections)).toEqual({ phase: 'live' })
  expect([told.begun, told.events.map((e) => e.offset)]).toEqual([[true, false], [5, 6]])
})

test('where the browser gives up it is opened again behind the last event, ever less often', () => {
  last(sources).say('state', state)
  last(sources).say('event', event(5))
  for (const pause of [1000, 2000, 4000, 8000, 15_000, 15_000]) {
    const before = sources.length
    last(sources).fail(2)
    vi.advanceTimersByTime(pause - 1)
    expect(sources).toHaveLength(before)
    vi.advanceTimersByTime(1)
    expect(sources).toHaveLength(before + 1)
    expect(last(sources).url).toBe('/log/feed?after=5')
  }
  expect(last(told.connections)).toEqual({ phase: 'offline' })
})

test('a stream that says nothing for 20 seconds is opened again behind the last event', () => {
  last(sources).say('state', state)
  last(sources).say('event', event(5))
  for (let second = 0; second < 60; second++) {
    vi.advanceTimersByTime(19_999)
    last(sources).say('head', state)
  }
  expect(sources).toHaveLength(1)
  vi.advanceTimersByTime(19_999)
  expect(sources).toHaveLength(1)
  vi.advanceTimersByTime(1)
  expect(sources.map((source) => source.url)).toEqual(['/log/feed', '/log/feed?after=5'])
  expect(sources[0]?.readyState).toBe(2)
  expect(last(told.connections)).toEqual({ phase: 'offline' })
  vi.advanceTimersByTime(20_000) // the new one does not answer either
  expect(sources).toHaveLength(3)
  last(sources).say('state', state)
  expect(last(told.connections)).toEqual({ phase: 'live' })
})

test('closed and opened again it goes on behind the last event, as the same log', () => {
  last(sources).say('state', state)
  last(sources).say('event', event(5))
  stream.close()
  vi.advanceTimersByTime(60_000)
  expect(sources).toHaveLength(1)
  expect(sources[0]?.readyState).toBe(2)
  stream.open()
  last(sources).say('state', state)
  last(sources).say('event', event(6))
  expect(last(sources).url).toBe('/log/feed?after=5')
  expect([told.begun, told.events.map((e) => e.offset)]).toEqual([[true, false], [5, 6]])
})

test.each([
  [new Response('too many are watching\n', { status: 503 }), 'too many are watching'],
  [new Response('404 page not found', { status: 404 }), 'this gateway does not show its log'],
  [new Response('x'.repeat(1000), { status: 502 }), undefined],
])('why it was refused is told in the gateway\'s words', async (response, reason) => {
  ask = () => Promise.resolve(response)
  last(sources).fail(2)
  await vi.advanceTimersByTimeAsync(0)
  const connection = last(told.connections)
  expect(connection).toEqual(reason === undefined ? { phase: 'connecting' } : { phase: 'offline', reason })
})

test('another log is begun from the start', () => {
  last(sources).say('state', state)
  last(sources).say('event', event(5))
  last(sources).say('state', { ...state, epoch: 'other' })
  expect(last(sources).url).toBe('/log/feed')
  expect(sources).toHaveLength(2)
  last(sources).say('state', { ...state, epoch: 'other' })
  last(sources).say('event', event(1))
  expect([told.begun, told.events.map((e) => e.offset)]).toEqual([[true, true], [5, 1]])
})

test('what an old source still says is not heard', () => {
  const old = last(sources)
  old.fail(2)
  vi.advanceTimersByTime(1000)
  old.say('state', state)
  old.fail(2)
  expect(told.begun).toEqual([])
  expect(sources).toHaveLength(2)
})

test('once closed it stays closed', () => {
  last(sources).fail(2)
  stream.close()
  vi.advanceTimersByTime(60_000)
  expect(sources).toHaveLength(1)
})
