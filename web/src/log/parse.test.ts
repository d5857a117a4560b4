import { describe, expect, test } from 'vitest'

import { logEvent, logState, persister, signed, skipped } from './parse'

const at = '2026-11-21T20:00:00.5Z'

describe('the state of the log', () => {
  const state = { epoch: 'e', first: 1, last: 5, position: 5, time: at }

  test('is read as it is sent', () => {
    expect(logState(JSON.stringify(state))).toEqual({ ...state, time: Date.parse(at) })
  })

  test.each([
    ['no JSON', '{'], ['no object', '[1]'], ['null', 'null'],
    ...['epoch', 'first', 'last', 'position', 'time'].map((field) => [`no ${field}`, JSON.stringify({ ...state, [field]: undefined })]),
    ['a negative offset', JSON.stringify({ ...state, last: -1 })],
    ['no time at all', JSON.stringify({ ...state, time: 'soon' })],
  ])('%s is nothing', (_, text) => {
    expect(logState(text ?? '')).toBeUndefined()
  })
})

describe('an event', () => {
  const event = { offset: 7, at, type: 'message.posted', conversation: 'room/general', bytes: 3, digest: 'ab'.repeat(32) }
  const read = (more: object) => logEvent(JSON.stringify({ ...event, ...more }))

  test('is read as it is sent', () => {
    expect(read({})).toEqual({ ...event, at: Date.parse(at), missing: 0, kind: 'message' })
  })

  test.each([
    [{}, 'message'], [{ type: 'user.registered' }, 'registration'], [{ type: 'message.edited', unknown: true }, 'unknown'],
    [{ unknown: true }, 'unknown'], [{ type: 'new.here' }, 'unknown'], [{ damaged: true, type: undefined }, 'damaged'], [{ unread: true }, 'unread'],
  ])('%o is of kind %s', (more, kind) => {
    expect(read(more)?.kind).toBe(kind)
  })

  test('without an offset is none', () => {
    for (const offset of [undefined, 0, -1, 1.5, '7', 2 ** 53]) expect(read({ offset })).toBeUndefined()
  })

  test('keeps what is right of it', () => {
    const got = read({ at: 'never', bytes: 'many', digest: 'AB', conversation: 7, missing: 2 })
    expect(got).toMatchObject({ offset: 7, bytes: 0, digest: '', conversation: '', missing: 2 })
    expect(got?.at).toBeNaN()
  })
})

test('what is skipped is a number', () => {
  expect(skipped('{"count":3}')).toBe(3)
  expect(skipped('{"count":"3"}')).toBeUndefined()
})

test('the read model is at an offset, or says why not', () => {
  expect(persister(JSON.stringify({ offset: 3, at, epoch: 'e', lag: 2 }))).toEqual({
    offset: 3, at: Date.parse(at), epoch: 'e', lag: 2, error: undefined,
  })
  expect(persister('{"offset":0,"lag":0,"error":"away"}')?.error).toBe('away')
  expect(persister('{"offset":3}')).toBeUndefined()
})

test('a log is signed, or not, or nobody can tell', () => {
  const checkpoint = { size: 4, root: 'r=', key: 'k+1', origin: 'k', epoch: 'e', at }
  expect(signed(JSON.stringify(checkpoint))).toEqual({
    is: 'signed', checkpoint: { size: 4, root: 'r=', key: 'k+1', epoch: 'e', at: Date.parse(at) },
  })
  expect(signed(JSON.stringify({ ...checkpoint, key: '' }))).toMatchObject({ checkpoint: { key: 'k' } })
  expect(signed('{"none":true}')).toEqual({ is: 'none' })
  expect(signed('{"error":"no right"}')).toEqual({ is: 'unreadable', error: 'no right' })
  expect(signed('{"size":4}')).toBeUndefined()
})
