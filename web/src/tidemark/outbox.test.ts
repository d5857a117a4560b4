import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { general, type Ack, type Stored } from './contract'
import type { OutboxEntry } from './entry'
import { MemoryStore } from './memory'
import { Outbox } from './outbox'

const ackTimeoutMs = 10_000

function setUp({ store = new MemoryStore(), tab = 'a', user }: { store?: MemoryStore; tab?: string; user?: string } = {}) {
  const sent: { content: string; key: string; answer: (ack: Ack | undefined) => void }[] = []
  const changed: string[] = []
  const acked: string[] = []
  const discarded: string[] = []
  const outbox = new Outbox({
    store, tab, user, ackTimeoutMs,
    transmit: ({ content, key }, answer) => sent.push({ content, key, answer }),
    changed: ({ content, state, waitsFor }) => changed.push(`${content}: ${waitsFor ?? state}`),
    discarded: ({ content }) => discarded.push(content),
    acked: ({ content }: OutboxEntry, { offset }: Stored) => acked.push(`${content}: ${offset}`),
  })
  const contents = () => sent.map(({ content }) => content)
  const answer = (index: number, ack: Ack | undefined) => sent[index]?.answer(ack)
  const take = () => changed.splice(0)
  const add = (content: string) => outbox.add(general, content)
  return { outbox, store, sent, contents, answer, take, add, acked, discarded }
}

const stored = (offset: number): Ack => ({ ok: true, offset })
const refused = (code: string, more = {}): Ack => ({ ok: false, error: { code, message: 'no', ...more } })
/** Lets the store do its work. */
const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('keys', () => {
  test('are UUIDv7, made when a message is typed, in the order of typing', () => {
    const { add } = setUp()
    const keys = ['a', 'b', 'c'].map((content) => add(content).key)
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect([...keys].sort()).toEqual(keys)
  })

  test('stay, over later connections', async () => {
    const { outbox, sent, add } = setUp()
    const { key } = add('a')
    for (let connection = 0; connection < 3; connection++) {
      outbox.connected('me')
      await settle()
      outbox.disconnected()
    }
    expect(sent.map((one) => one.key)).toEqual([key, key, key])
  })
})

describe('the store', () => {
  test('has a message before it is transmitted', async () => {
    const { outbox, contents, add, store, take } = setUp()
    let keep: () => void = () => {}
    store.put = () => new Promise((resolve) => (keep = resolve))
    outbox.connected('me')
    add('a')
    await settle()
    expect(contents()).toEqual([])
    expect(take()).toEqual(['a: turn'])
    outbox.disconnected()
    outbox.connected('me')
    expect(contents()).toEqual([])
    keep()
    await settle()
    expect(contents()).toEqual(['a'])
  })

  test('has what is pending or refused, under the user it was typed under, and nothing else', async () => {
    const { outbox, store, add, answer, take } = setUp()
    add('a')
    add('b')
    add('c')
    outbox.connected('me')
    await settle()
    answer(0, stored(1))
    answer(1, refused('forbidden'))
    await settle()
    const [b, c, ...rest] = await store.entries()
    expect(b).toMatchObject({ content: 'b', tab: 'a', user: 'me', refusal: { code: 'forbidden' } })
    expect(c).toMatchObject({ content: 'c', user: 'me' })
    expect(c?.refusal).toBeUndefined()
    expect(rest).toEqual([])
    expect(take()).toContain('b: refused')
  })
})

describe('transmission', () => {
  test('is one after another, in order', async () => {
    const { outbox, contents, answer, add, take } = setUp()
    outbox.connected('me')
    for (const content of ['a', 'b', 'c']) add(content)
    await settle()
    expect(contents()).toEqual(['a'])
    for (const index of [0, 1, 2]) answer(index, stored(index + 5))
    expect(contents()).toEqual(['a', 'b', 'c'])
    expect(take().filter((change) => change.endsWith('stored'))).toEqual(['a: stored', 'b: stored', 'c: stored'])
    expect(outbox.entries).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('says what each waits for', async () => {
    const { outbox, answer, add, take } = setUp()
    add('a')
    add('b')
    await settle()
    expect(take()).toEqual(['a: connection', 'b: connection'])
    outbox.connected('me')
    await settle()
    expect(take()).toEqual(['a: ack', 'b: turn'])
    await vi.advanceTimersByTimeAsync(ackTimeoutMs)
    expect(take()).toEqual(['a: retry'])
    answer(0, refused('rate_limited', { retryAfterMs: 100 }))
    expect(take()).toEqual(['a: rate limit'])
    outbox.disconnected()
    expect(take()).toEqual(['a: connection', 'b: connection'])
  })

  test('is repeated with ever longer pauses until there is an ack, without giving up', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const { outbox, sent, answer, add } = setUp()
    outbox.connected('me')
    const entry = add('a')
    await settle()
    for (const [index, pause] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      await vi.advanceTimersByTimeAsync(ackTimeoutMs + pause * 1_000 - 1)
      expect(sent).toHaveLength(index + 1)
      await vi.advanceTimersByTimeAsync(1)
      expect(sent).toHaveLength(index + 2)
    }
    expect(entry.transmissions).toBe(8)
    answer(7, stored(3))
    expect(entry).toMatchObject({ state: 'stored', offset: 3 })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('begins at once on a new connection, whatever it waited for', async () => {
    const { outbox, sent, add } = setUp()
    outbox.connected('me')
    add('a')
    await settle()
    await vi.advanceTimersByTimeAsync(3 * ackTimeoutMs)
    const before = sent.length
    outbox.disconnected()
    await vi.advanceTimersByTimeAsync(ackTimeoutMs)
    expect(sent).toHaveLength(before)
    outbox.connected('me')
    expect(sent).toHaveLength(before + 1)
  })
})

describe('acks', () => {
  test('count however late they are, and once', async () => {
    const { outbox, sent, acked, add, answer } = setUp()
    outbox.connected('me')
    const entry = add('a')
    await settle()
    await vi.advanceTimersByTimeAsync(ackTimeoutMs + 1_000)
    expect(sent).toHaveLength(2)
    answer(0, stored(8))
    answer(1, stored(8))
    answer(1, refused('forbidden'))
    expect(entry).toMatchObject({ state: 'stored', offset: 8 })
    expect(acked).toEqual(['a: 8'])
  })

  test('of no known shape are no acks', async () => {
    const { outbox, sent, add, answer } = setUp()
    outbox.connected('me')
    const entry = add('a')
    await settle()
    answer(0, undefined)
    expect(entry.state).toBe('pending')
    await vi.advanceTimersByTimeAsync(ackTimeoutMs + 1_000)
    expect(sent).toHaveLength(2)
  })

  test('that refuse settle the message with the reason and let the next one go', async () => {
    const { outbox, contents, add, answer } = setUp()
    outbox.connected('me')
    const entry = add('a')
    add('b')
    await settle()
    answer(0, refused('too_large'))
    expect(entry).toMatchObject({ state: 'refused', refusal: { code: 'too_large' } })
    expect(entry.waitsFor).toBeUndefined()
    expect(contents()).toEqual(['a', 'b'])
  })

  test('are not needed for a message that came back with its key', async () => {
    const { outbox, contents, add, answer, acked } = setUp()
    outbox.connected('me')
    const entry = add('a')
    add('b')
    await settle()
    outbox.seen('another', 8)
    expect(entry.state).toBe('pending')
    outbox.seen(entry.key, 9)
    expect(entry).toMatchObject({ state: 'stored', offset: 9 })
    expect(contents()).toEqual(['a', 'b'])
    answer(0, stored(9))
    expect(acked).toEqual([])
  })
})

describe('a rate limit', () => {
  test('is waited for as long as it says, and nothing overtakes', async () => {
    const { outbox, contents, add, answer } = setUp()
    outbox.connected('me')
    add('a')
    add('b')
    await settle()
    answer(0, refused('rate_limited', { retryAfterMs: 400 }))
    await vi.advanceTimersByTimeAsync(399)
    expect(contents()).toEqual(['a'])
    await vi.advanceTimersByTimeAsync(1)
    expect(contents()).toEqual(['a', 'a'])
    answer(1, stored(2))
    expect(contents()).toEqual(['a', 'a', 'b'])
  })

  test.each([[undefined, 1_000], [0, 50], [1e12, 60_000]])('of %j ms is taken as %d ms', async (retryAfterMs, wait) => {
    const { outbox, sent, add, answer } = setUp()
    outbox.connected('me')
    add('a')
    await settle()
    answer(0, refused('rate_limited', retryAfterMs === undefined ? {} : { retryAfterMs }))
    await vi.advanceTimersByTimeAsync(wait - 1)
    expect(sent).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(sent).toHaveLength(2)
  })

  test('that becomes known after the connection is lost starts no timer', async () => {
    const { outbox, add, answer } = setUp()
    outbox.connected('me')
    add('a')
    await settle()
    outbox.disconnected()
    answer(0, refused('rate_limited', { retryAfterMs: 100 }))
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a refused message', () => {
  async function withRefused() {
    const all = setUp()
    all.outbox.connected('me')
    const entry = all.add('a')
    await settle()
    all.answer(0, refused('forbidden'))
    return { ...all, entry }
  }

  test('is retried as a new one, with a new key, and is gone', async () => {
    const { outbox, entry, sent, discarded, store } = await withRefused()
    outbox.retry(entry)
    await settle()
    expect(sent).toHaveLength(2)
    expect(sent[1]?.key).not.toBe(entry.key)
    expect(discarded).toEqual(['a'])
    expect((await store.entries()).map(({ key }) => key)).toEqual([sent[1]?.key])
  })

  test('is discarded, from the store as well', async () => {
    const { outbox, entry, discarded, store } = await withRefused()
    outbox.discard(entry)
    expect(discarded).toEqual(['a'])
    expect(outbox.entries).toEqual([])
    expect(await store.entries()).toEqual([])
  })

  test('is the only one that can be', async () => {
    const { outbox, add, discarded } = setUp()
    const entry = add('a')
    outbox.discard(entry)
    outbox.retry(entry)
    expect(outbox.entries).toEqual([entry])
    expect(discarded).toEqual([])
  })
})

describe('another page', () => {
  test('goes on with what one that is gone has left, in its order, under the same keys', async () => {
    const store = new MemoryStore()
    const first = setUp({ store })
    const keys = ['a', 'b'].map((content) => first.add(content).key)
    await settle()
    const second = setUp({ store, tab: 'b' })
    second.outbox.adopt(await store.adopt('a', 'b'))
    second.outbox.connected('me')
    await settle()
    second.answer(0, stored(1))
    expect(second.sent.map(({ key }) => key)).toEqual(keys)
    expect((await store.entries()).map(({ tab }) => tab)).toEqual(['b'])
  })

  test('does not send what it has seen in the log', async () => {
    const store = new MemoryStore()
    const first = setUp({ store })
    const { key } = first.add('a')
    await settle()
    const second = setUp({ store, tab: 'b' })
    second.outbox.connected('me')
    second.outbox.seen(key, 4)
    second.outbox.adopt(await store.adopt('a', 'b'))
    await settle()
    expect(second.sent).toEqual([])
    expect(await store.entries()).toEqual([])
  })

  test('does not send as one user what was typed as another, on a page that never had a connection', async () => {
    const store = new MemoryStore()
    const known = setUp({ store, user: 'me' })
    known.add('a')
    const told = setUp({ store, tab: 'b' })
    told.outbox.signedIn('me')
    told.add('b')
    await settle()
    const last = setUp({ store, tab: 'c' })
    for (const tab of ['a', 'b']) last.outbox.adopt(await store.adopt(tab, 'c'))
    last.outbox.connected('somebody else')
    await settle()
    expect(last.sent).toEqual([])
    expect(last.outbox.entries.map(({ content, refusal }) => [content, refusal?.code])).toEqual([['a', 'session_ended'], ['b', 'session_ended']])
  })

  test('does not send as one user what was typed as another', async () => {
    const store = new MemoryStore()
    const first = setUp({ store })
    first.outbox.connected('me')
    first.add('a')
    await settle()
    const second = setUp({ store, tab: 'b' })
    second.outbox.adopt(await store.adopt('a', 'b'))
    second.outbox.connected('somebody else')
    await settle()
    expect(second.sent).toEqual([])
    expect(second.outbox.entries).toMatchObject([{ state: 'refused', refusal: { code: 'session_ended' } }])
  })
})

test('what is cleared is in the store no more, and told to be gone', async () => {
  const { outbox, add, store, discarded } = setUp()
  add('a')
  outbox.clear()
  await settle()
  expect(await store.entries()).toEqual([])
  expect(discarded).toEqual(['a'])
})

test('when the session ends, what is pending becomes refused, and the user decides', async () => {
  const { outbox, add, contents } = setUp()
  outbox.connected('me')
  add('a')
  add('b')
  await settle()
  outbox.signedOut()
  expect(outbox.entries).toMatchObject([
    { state: 'refused', refusal: { code: 'session_ended' } }, { state: 'refused', refusal: { code: 'session_ended' } },
  ])
  expect(vi.getTimerCount()).toBe(0)
  outbox.connected('me again')
  for (const entry of outbox.entries) outbox.retry(entry)
  await settle()
  expect(contents()).toEqual(['a', 'a'])
})
