import { describe, expect, test } from 'vitest'

import { general } from './contract'
import * as parse from './parse'

describe('chatMessage', () => {
  test('takes what the contract promises and leaves the rest out', () => {
    const rest = { id: 'i', at: 't', from: 'f', username: 'u', clientOffset: 'k', new: 1 }
    expect(parse.chatMessage(['hi', 7, rest])).toEqual({
      conversation: general, content: 'hi', offset: 7, id: 'i', at: 't', from: 'f', username: 'u', clientOffset: 'k',
    })
  })

  test('needs content and offset only', () => {
    expect(parse.chatMessage(['', 1])).toEqual({ conversation: general, content: '', offset: 1 })
    expect(parse.chatMessage(['hi', 1, { id: 3, at: null }])).toEqual({ conversation: general, content: 'hi', offset: 1 })
    expect(parse.chatMessage(['hi', 1, 'x', 'more'])).toEqual({ conversation: general, content: 'hi', offset: 1 })
  })

  test.each([[[]], [['hi']], [['hi', '1']], [['hi', 0]], [['hi', -1]], [['hi', 1.5]], [['hi', 2 ** 53]], [[5, 1]], [[null, 1]]])(
    'does not take %j',
    (args) => expect(parse.chatMessage(args)).toBeUndefined(),
  )
})

describe('recovery', () => {
  test('takes what the contract promises', () => {
    const value = { recovered: false, from: 1, head: 9, count: 2, epoch: 'e', reason: 'trimmed' }
    expect(parse.recovery(value)).toEqual(value)
  })

  test('needs recovered and head only', () => {
    expect(parse.recovery({ recovered: true, head: 0, reason: '' })).toEqual({ recovered: true, from: 0, head: 0, count: 0 })
  })

  test.each([[undefined], [null], ['x'], [[]], [{}], [{ recovered: true }], [{ recovered: 'yes', head: 1 }]])(
    'does not take %j',
    (value) => expect(parse.recovery(value)).toBeUndefined(),
  )
})

describe('ack', () => {
  test('stored', () => {
    expect(parse.ack({ ok: true, offset: 4, id: 'i' })).toEqual({ ok: true, offset: 4, id: 'i', duplicate: false })
    expect(parse.ack({ ok: true, offset: 4, duplicate: true })).toEqual({ ok: true, offset: 4, duplicate: true })
  })

  test('refused', () => {
    const error = { code: 'rate_limited', message: 'slow down', retryAfterMs: 50 }
    expect(parse.ack({ ok: false, error })).toEqual({ ok: false, error })
    expect(parse.ack({ ok: false, error: { retryAfterMs: -1 } })).toEqual({ ok: false, error: { code: 'unknown', message: '' } })
  })

  test.each([[undefined], [null], [{}], [{ ok: true }], [{ ok: 'true', offset: 1 }], [{ ok: false }], [{ ok: false, error: 'no' }]])(
    'does not take %j',
    (value) => expect(parse.ack(value)).toBeUndefined(),
  )
})

test('watermark', () => {
  expect(parse.watermark({ offset: 3 })).toEqual({ offset: 3 })
  expect(parse.watermark({ offset: '3' })).toBeUndefined()
  expect(parse.watermark(3)).toBeUndefined()
})

describe('messages of other conversations', () => {
  test('a room', () => {
    expect(parse.roomMessage({ room: 'tea', content: 'hi', offset: 3, username: 'Ana', at: 7 })).toEqual({
      conversation: { room: 'tea' }, content: 'hi', offset: 3, username: 'Ana',
    })
    for (const value of [undefined, {}, { room: '', content: 'x', offset: 1 }, { room: 'tea', content: 'x' }]) {
      expect(parse.roomMessage(value)).toBeUndefined()
    }
  })

  test('a direct one is with the other one, also with oneself', () => {
    const direct = (from: string, to: string) => parse.privateMessage({ from, to, content: 'hi', offset: 3 }, 'me')?.conversation
    expect(direct('me', 'b')).toEqual({ user: 'b' })
    expect(direct('b', 'me')).toEqual({ user: 'b' })
    expect(direct('me', 'me')).toEqual({ user: 'me' })
    expect(parse.privateMessage({ from: 'b', content: 'hi', offset: 3 }, 'me')).toBeUndefined()
  })
})

describe('page', () => {
  test('has what can be understood, ascending, each once', () => {
    const messages = [3, 3, 2, 'x', 5].map((offset) => ({ content: `m${offset}`, offset }))
    expect(parse.page({ ok: true, messages }, { user: 'b' })).toEqual({
      messages: [3, 5].map((offset) => ({ conversation: { user: 'b' }, content: `m${offset}`, offset })), more: false,
    })
  })

  test('is refused, or none', () => {
    const refusal = { code: 'forbidden', message: 'no' }
    expect(parse.page({ ok: false, error: refusal }, general)).toEqual(refusal)
    for (const value of [undefined, {}, { ok: true }, { ok: true, messages: 'x' }, { ok: false }]) {
      expect(parse.page(value, general)).toBeUndefined()
    }
  })
})

test('replay', () => {
  expect(parse.replay({ from: 1, head: 9 })).toEqual({ from: 1, head: 9 })
  expect(parse.replay({ from: 1 })).toBeUndefined()
})

test('the time of a UUIDv7, and of nothing else', () => {
  expect(parse.timeOf('0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b')).toBe(new Date(0x0193a1b2c3d4).toISOString())
  expect(parse.timeOf('0193a1b2-c3d4-4e5f-8a6b-7c8d9e0f1a2b')).toBeUndefined()
  expect(parse.timeOf('x')).toBeUndefined()
})
