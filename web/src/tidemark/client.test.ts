import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { Client } from './client'
import { Cursor } from './cursor'
import { FakeWire } from './fakewire'

function setUp() {
  const cursor = new Cursor()
  const wire = new FakeWire(cursor)
  const client = new Client(wire, { cursor, ackTimeoutMs: 1_000 })
  const phases: string[] = []
  const offsets: number[] = []
  const discontinuities: string[] = []
  client.on('state', ({ phase }) => phases.push(phase))
  client.on('message', ({ offset }) => offsets.push(offset))
  client.on('discontinuity', ({ reason, reset }) => {
    discontinuities.push(reason)
    if (reset) offsets.length = 0
  })
  return { client, wire, phases, offsets, discontinuities }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('state', () => {
  test('goes from connecting over catching up to live', () => {
    const { client, wire, phases } = setUp()
    client.connect()
    wire.accept('s1')
    wire.messages(1, 2)
    wire.recover(2)
    wire.messages(3)
    expect(phases).toEqual(['connecting', 'catching up', 'live'])
  })

  test('is connecting after a loss, and offline only once an attempt has failed', () => {
    const { client, wire, phases } = setUp()
    client.connect()
    wire.accept('s1')
    wire.recover(0)
    wire.lose()
    wire.receive('connect_error', new Error('websocket error'))
    wire.receive('connect_error', new Error('websocket error'))
    expect(client.state).toEqual({ phase: 'offline', retrying: true, reason: 'websocket error' })
    wire.accept('s2')
    wire.recover(0)
    expect(phases).toEqual(['connecting', 'catching up', 'live', 'connecting', 'offline', 'catching up', 'live'])
  })

  test('says when nothing is tried any more, and connect() tries again', () => {
    const { client, wire } = setUp()
    client.connect()
    wire.accept('s1')
    wire.lose('io server disconnect')
    expect(client.state).toEqual({ phase: 'offline', retrying: false, reason: 'io server disconnect' })
    client.connect()
    expect(client.state).toEqual({ phase: 'connecting', retrying: true })
    expect(wire.active).toBe(true)
  })

  test('is offline after close(), said once', () => {
    const { client, wire, phases } = setUp()
    client.connect()
    wire.accept('s1')
    client.close()
    expect(client.state).toEqual({ phase: 'offline', retrying: false })
    expect(phases).toEqual(['connecting', 'catching up', 'offline'])
  })
})

describe('recovery', () => {
  test('asks at each handshake for what comes after the last thing known', () => {
    const { client, wire, offsets } = setUp()
    client.connect()
    wire.accept('s1')
    wire.messages(1, 2)
    wire.recover(4)
    wire.messages(5)
    wire.lose()
    wire.accept('s2')
    wire.messages(6, 7)
    wire.recover(7)
    wire.receive('watermark', { offset: 20 })
    wire.lose()
    wire.accept('s3')
    expect(wire.resumes).toEqual([
      { serverOffset: 0 }, { serverOffset: 5, epoch: 'e1' }, { serverOffset: 20, epoch: 'e1' },
    ])
    expect(offsets).toEqual([1, 2, 5, 6, 7])
  })

  test('shows each message once, whatever is repeated', () => {
    const { client, wire, offsets } = setUp()
    client.connect()
    wire.accept('s1')
    wire.messages(1, 2, 2, 1)
    wire.recover(2)
    wire.messages(2, 3)
    wire.lose()
    wire.accept('s2')
    wire.messages(2, 3, 4)
    wire.recover(4)
    expect(offsets).toEqual([1, 2, 3, 4])
  })

  test('starts over when the log is another one', () => {
    const { client, wire, offsets, discontinuities } = setUp()
    client.connect()
    wire.accept('s1')
    wire.messages(8, 9)
    wire.recover(9)
    wire.lose()
    wire.accept('s2')
    wire.messages(1, 2)
    wire.recover(2, { recovered: false, reason: 'epoch_changed', epoch: 'e2' })
    wire.messages(3)
    expect(discontinuities).toEqual(['epoch_changed'])
    expect(offsets).toEqual([1, 2, 3])
  })

  test('tells of a trimmed log and keeps what is shown', () => {
    const { client, wire, offsets, discontinuities } = setUp()
    client.connect()
    wire.accept('s1')
    wire.messages(1)
    wire.recover(1)
    wire.lose()
    wire.accept('s2')
    wire.messages(9)
    wire.recover(9, { recovered: false, reason: 'trimmed' })
    expect(discontinuities).toEqual(['trimmed'])
    expect(offsets).toEqual([1, 9])
  })

  test('ignores what has not the shape of the contract', () => {
    const { client, wire, offsets } = setUp()
    client.connect()
    wire.accept('s1')
    wire.receive('chat message')
    wire.receive('chat message', { content: 'x' }, 1)
    wire.receive('recovery')
    wire.receive('watermark', 'x')
    expect(client.state.phase).toBe('catching up')
    expect(offsets).toEqual([])
  })
})

describe('sending', () => {
  test('transmits content and key, and takes the ack', () => {
    const { client, wire } = setUp()
    client.connect()
    wire.accept('s1')
    const entry = client.send('hello')
    expect(wire.sent).toMatchObject([{ content: 'hello', key: 's1-1' }])
    wire.sent[0]!.answer({ ok: true, offset: 3 })
    expect(entry).toMatchObject({ state: 'sent', offset: 3 })
  })

  test('an ack moves no cursor: what others said before is still to come', () => {
    const { client, wire, offsets } = setUp()
    client.connect()
    wire.accept('s1')
    wire.recover(0)
    client.send('hello')
    wire.sent[0]!.answer({ ok: true, offset: 3 })
    wire.lose()
    wire.accept('s2')
    expect(wire.resumes[1]).toEqual({ serverOffset: 0, epoch: 'e1' })
    wire.messages(1, 2, 3)
    expect(offsets).toEqual([1, 2, 3])
  })

  test('survives a lost ack: the same key, once connected again', () => {
    const { client, wire } = setUp()
    client.connect()
    wire.accept('s1')
    client.send('a')
    client.send('b')
    wire.lose()
    vi.advanceTimersByTime(60_000)
    wire.accept('s2')
    wire.sent[1]!.answer({ ok: true, offset: 3, duplicate: true })
    expect(wire.sent.map(({ content, key }) => `${content} ${key}`)).toEqual(['a s1-1', 'a s1-1', 'b s2-2'])
  })

  test('takes its own message out of a replay for an ack', () => {
    const { client, wire } = setUp()
    client.connect()
    wire.accept('s1')
    const entry = client.send('a')
    wire.receive('chat message', 'a', 7, { clientOffset: 's1-1' })
    expect(entry).toMatchObject({ state: 'sent', offset: 7 })
  })

  test('refuses by itself what would close the connection, and goes on', () => {
    const cursor = new Cursor()
    const wire = new FakeWire(cursor)
    const client = new Client(wire, { cursor, maxPacketBytes: () => 1_000 })
    client.connect()
    wire.accept('s1')
    const long = client.send('\u00e9'.repeat(500))
    const short = client.send('\u00e9'.repeat(400))
    expect(long).toMatchObject({ state: 'refused', refusal: { code: 'too_large' } })
    expect(wire.sent.map(({ key }) => key)).toEqual([short.key])
  })

  test('never emits while disconnected', () => {
    const { client, wire } = setUp()
    client.send('a')
    client.connect()
    client.send('b')
    vi.advanceTimersByTime(10_000)
    expect(wire.sent).toEqual([])
  })
})
