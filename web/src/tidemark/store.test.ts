import 'fake-indexeddb/auto'

import { IDBFactory } from 'fake-indexeddb'
import { openDB } from 'idb'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { openIndexed } from './indexed'
import { MemoryStore } from './memory'
import { openStore, SafeStore } from './safe'
import type { KeptEntry, KeptSession, Store } from './store'

const session = (userID: string, since = 1): KeptSession => ({ sessionID: `secret of ${userID}`, userID, username: 'Ana', since })
const entry = (key: string, tab = 'a'): KeptEntry => ({ key, tab, conversation: { room: 'general' }, content: `c${key}`, typedAt: 1 })
const at = (offset: number) => ({ offset, epoch: 'e1' })
const nothing = { session: undefined, cursor: undefined, rooms: ['general'], readAt: new Map() }

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})
afterEach(() => vi.restoreAllMocks())

describe.each<[string, () => Promise<Store>]>([
  ['in memory', async () => new MemoryStore()],
  ['in IndexedDB', () => openIndexed(() => {})],
])('a store %s', (_, open) => {
  test('has nothing at first but the room general', async () => {
    const store = await open()
    expect(await store.load()).toEqual(nothing)
    expect(await store.entries()).toEqual([])
  })

  test('keeps the cursor that was written last', async () => {
    const store = await open()
    await store.signIn(session('me'))
    for (const place of [{ offset: 5, epoch: 'e1' }, { offset: 2, epoch: 'e2' }]) {
      await store.place(place)
      expect((await store.load()).cursor).toEqual(place)
    }
  })

  test('keeps the later of two sign-ins, whichever is written first', async () => {
    for (const order of [[1, 2], [2, 1]]) {
      const store = await open()
      await store.clear()
      for (const since of order) await store.signIn(session(`user ${since}`, since))
      expect((await store.load()).session?.userID).toBe('user 2')
    }
  })

  test('gives a new user no cursor', async () => {
    const store = await open()
    await store.signIn(session('me'))
    await store.place({ offset: 5, epoch: 'e1' })
    await store.signIn(session('me', 2))
    expect((await store.load()).cursor).toEqual({ offset: 5, epoch: 'e1' })
    await store.signIn(session('another', 3))
    expect((await store.load()).cursor).toBeUndefined()
  })

  test('forgets the session it is told to, and not one that has come since', async () => {
    const store = await open()
    await store.signIn(session('me'))
    await store.forget('secret of another')
    expect((await store.load()).session).toEqual(session('me'))
    await store.forget('secret of me')
    expect(await store.load()).toEqual(nothing)
  })

  test('adds and takes out rooms one by one', async () => {
    const store = await open()
    await Promise.all([store.join('tea'), store.join('beer'), store.join('tea'), store.leave('beer')])
    expect((await store.load()).rooms).toEqual(['general', 'tea'])
  })

  test('keeps the furthest one has read in a log, for each conversation', async () => {
    const store = await open()
    await Promise.all([store.read('room/a b', at(5)), store.read('room/a b', at(3)), store.read('user/x', at(7))])
    expect((await store.load()).readAt).toEqual(new Map([['room/a b', at(5)], ['user/x', at(7)]]))
    await store.read('room/a b', { offset: 2, epoch: 'e2' })
    expect((await store.load()).readAt.get('room/a b')).toEqual({ offset: 2, epoch: 'e2' })
    await store.forgetRead()
    expect((await store.load()).readAt).toEqual(new Map())
  })

  test('has entries in the order of their keys, until they are deleted', async () => {
    const store = await open()
    await Promise.all([store.put(entry('2')), store.put(entry('1')), store.put(entry('3')), store.delete('2')])
    expect(await store.entries()).toEqual([entry('1'), entry('3')])
  })

  test('gives the entries of a tab to one of those that ask', async () => {
    const store = await open()
    await Promise.all([store.put(entry('1', 'gone')), store.put(entry('2', 'gone')), store.put(entry('3', 'other'))])
    const adopted = await Promise.all([store.adopt('gone', 'x'), store.adopt('gone', 'y')])
    expect(adopted).toEqual([[entry('1', 'x'), entry('2', 'x')], []])
    expect((await store.entries()).map(({ tab }) => tab)).toEqual(['x', 'x', 'other'])
  })

  test('forgets everything', async () => {
    const store = await open()
    await store.signIn(session('me'))
    await Promise.all([store.join('tea'), store.read('room/tea', at(1)), store.place({ offset: 1, epoch: 'e' }), store.put(entry('1'))])
    await store.clear()
    expect(await store.load()).toEqual(nothing)
    expect(await store.entries()).toEqual([])
  })
})

describe('IndexedDB', () => {
  test('keeps all of it for the next page', async () => {
    const first = await openStore()
    expect(first.keeps).toBe(true)
    await first.signIn(session('me'))
    await Promise.all([first.join('tea'), first.read('user/x', at(2)), first.place({ offset: 9, epoch: 'e1' }), first.put(entry('1'))])
    first.close()
    const second = await openStore()
    expect(await second.load()).toEqual({
      session: session('me'), cursor: { offset: 9, epoch: 'e1' }, rooms: ['general', 'tea'], readAt: new Map([['user/x', at(2)]]),
    })
    expect(await second.entries()).toEqual([entry('1')])
  })

  test('writes messages with strict durability', async () => {
    const store = await openStore()
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
    await store.put(entry('1'))
    expect(transaction.mock.calls).toEqual([['outbox', 'readwrite', { durability: 'strict' }]])
  })

  test('is not believed blindly: another version may have written it', async () => {
    await (await openStore()).close()
    const database = await openDB('tidemark', 1)
    for (const [key, value] of [['session', 'x'], ['cursor', { offset: -1 }], ['rooms', 7], ['read room/a', 'x'], ['read room/b', 7], ['new', 1]] as const) {
      await database.put('kept', value, key)
    }
    await database.put('outbox', { key: '1', content: 7 })
    database.close()
    const store = await openStore()
    expect(await store.load()).toEqual(nothing)
    expect(await store.entries()).toEqual([])
    expect(store.keeps).toBe(true)
  })
})

describe('where the browser refuses', () => {
  test('to open it, the page has a memory', async () => {
    const store = await openStore(() => Promise.reject(new Error('SecurityError')))
    expect(store.keeps).toBe(false)
    await store.put(entry('1'))
    expect(await store.entries()).toEqual([entry('1')])
  })

  test('to have any at all, the page has a memory', async () => {
    vi.stubGlobal('indexedDB', undefined)
    expect((await openStore()).keeps).toBe(false)
    vi.unstubAllGlobals()
  })

  test('to answer, the page does not wait for ever, and closes what comes late', async () => {
    vi.useFakeTimers()
    const late = new MemoryStore()
    const close = vi.spyOn(late, 'close')
    let opened: (store: Store) => void = () => {}
    const opening = openStore(() => new Promise((resolve) => (opened = resolve)))
    await vi.advanceTimersByTimeAsync(5_000)
    expect((await opening).keeps).toBe(false)
    opened(late)
    await vi.advanceTimersByTimeAsync(0)
    expect(close).toHaveBeenCalledOnce()
    vi.useRealTimers()
  })

  test('to write, that is said, and nothing is thrown', async () => {
    const store = await openStore()
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError')
    })
    await store.put(entry('1'))
    expect(store.keeps).toBe(false)
    await expect(store.join('tea')).resolves.toBeUndefined()
  })

  test('to clear it, that is said, and to whoever wanted it', async () => {
    const store = await openStore()
    vi.spyOn(IDBObjectStore.prototype, 'clear').mockImplementation(() => {
      throw new DOMException('broken', 'UnknownError')
    })
    await expect(store.clear()).rejects.toThrow('broken')
    expect(store.keeps).toBe(false)
  })

  test('because a newer page wants the database, it gets it', async () => {
    const store = await openStore()
    const newer = await openDB('tidemark', 2)
    expect(store.keeps).toBe(false)
    await store.put(entry('1'))
    newer.close()
  })
})

describe('a slow disk', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  class LastingStore extends MemoryStore {
    override readonly keeps: boolean = true
  }

  /** A store that keeps somebody's session and an entry, and takes its time for one thing. */
  async function slow(name: 'load' | 'clear' | 'put' | 'entries' | 'adopt', ms: number) {
    const inner = new LastingStore()
    await Promise.all([inner.signIn(session('me')), inner.put(entry('1', 'gone'))])
    const work = inner[name].bind(inner) as (...args: unknown[]) => Promise<unknown>
    const isSlow = vi.spyOn(inner, name).mockImplementation(async (...args: unknown[]) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return work(...args) as never
    })
    return { inner, store: new SafeStore(inner), isSlow }
  }

  test('costs nobody his session: what it has kept is waited for', async () => {
    const { store } = await slow('load', 14_000)
    const loading = store.load()
    await vi.advanceTimersByTimeAsync(14_000)
    expect((await loading).session).toEqual(session('me'))
  })

  test.each([
    ['does not say in time', () => new Promise<never>(() => {})],
    ['cannot say', () => Promise.reject(new DOMException('broken', 'UnknownError'))],
  ])('that %s what it has kept stays as it is, and the page has a memory', async (_, load) => {
    const { inner, store, isSlow } = await slow('load', 0)
    isSlow.mockImplementation(load)
    const close = vi.spyOn(inner, 'close')
    const loading = store.load()
    await vi.advanceTimersByTimeAsync(15_000)
    expect(await loading).toEqual(nothing)
    expect(store.keeps).toBe(false)
    expect(close).toHaveBeenCalledOnce()
    await Promise.all([store.signIn(session('another', 2)), store.put(entry('2')), store.clear(), store.join('tea')])
    expect((await store.load()).rooms).toEqual(['general', 'tea'])
    isSlow.mockRestore()
    expect(await inner.load()).toMatchObject({ session: session('me'), rooms: ['general'] })
    expect(await inner.entries()).toEqual([entry('1', 'gone')])
  })

  test('strands no messages: what is adopted is taken whenever it comes', async () => {
    for (const name of ['entries', 'adopt'] as const) {
      const { store } = await slow(name, 60_000)
      const [entries, adopted] = [store.entries(), store.adopt('gone', 'x')]
      await vi.advanceTimersByTimeAsync(60_000)
      expect((await entries).map(({ key }) => key)).toEqual(['1'])
      expect(await adopted).toEqual([entry('1', 'x')])
      expect(store.keeps).toBe(true)
    }
  })

  test('that fails in the end is no unhandled failure', async () => {
    const { store, isSlow } = await slow('adopt', 0)
    isSlow.mockImplementation(async () => {
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      throw new DOMException('broken', 'UnknownError')
    })
    const adopted = store.adopt('gone', 'x')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await adopted).toEqual([])
    expect(store.keeps).toBe(false)
  })

  test('does not keep a message waiting', async () => {
    const { store } = await slow('put', 6_000)
    const put = store.put(entry('2'))
    expect(store.keeps).toBe(true)
    await vi.advanceTimersByTimeAsync(5_000)
    await put
    expect(store.keeps).toBe(false)
    await vi.advanceTimersByTimeAsync(1_000)
  })

  test('does not let anybody believe that all is cleared', async () => {
    const { store } = await slow('clear', 6_000)
    const refused = expect(store.clear()).rejects.toThrow('longer than 5000 ms')
    await vi.advanceTimersByTimeAsync(6_000)
    await refused
  })
})
