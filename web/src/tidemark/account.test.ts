import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { general } from './contract'
import { openKnown, openLive, openPage, settle } from './fakepage'
import { FakeBrowser } from './faketabs'
import { MemoryStore } from './memory'
import { SafeStore } from './safe'
import type { TabMessage } from './tabmessage'

/** As the one of a browser that keeps what it is given. */
class KeepingStore extends MemoryStore {
  override readonly keeps = true
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('signing out', () => {
  test('fails where the store does, after everything else is done', async () => {
    const store = new MemoryStore()
    store.clear = () => Promise.reject(new DOMException('full', 'QuotaExceededError'))
    const one = await openLive({ store: new SafeStore(store) })
    const two = await openPage({ store: new SafeStore(store), browser: one.browser })
    await expect(one.client.signOut()).rejects.toThrow('full')
    for (const { client } of [one, two]) {
      expect(client.identity).toBeUndefined()
      expect(client.state).toEqual({ phase: 'offline', retrying: false })
    }
    await settle()
    expect((await store.load()).session).toBeUndefined() // the other tab could
  })

  /** Two tabs, one of which has signed out, while the other one has not heard of it yet. */
  async function openDeaf() {
    const browser = new FakeBrowser()
    const store = new MemoryStore()
    const [one, two] = [await openKnown({ browser, store }), await openKnown({ browser, store })]
    for (const { wire } of [one, two]) {
      wire.accept()
      wire.greet()
      wire.recover(10)
    }
    await settle()
    const missed: TabMessage[] = []
    const hear = vi.spyOn(two.tabs, 'hear').mockImplementation((message) => void missed.push(message))
    await one.client.signOut()
    const wake = async () => {
      hear.mockRestore()
      for (const message of missed.splice(0)) two.tabs.hear(message)
      await settle()
    }
    return { one, two, store, wake }
  }

  test('leaves nothing of what another tab writes before it hears of it', async () => {
    const { two, store, wake } = await openDeaf()
    two.client.send(general, 'of Ana')
    two.client.read(general, 10)
    void two.client.join('tea')
    two.wire.sent('room join')[0]?.answer({ ok: true, room: 'tea', head: 10 })
    two.wire.messages(11)
    await store.put({ key: 'k', tab: 'frozen', user: 'me', conversation: general, content: 'of Ana', typedAt: 1 })
    await store.put({ key: 'l', tab: 'frozen', user: 'other', conversation: general, content: 'of Boris', typedAt: 1 })
    await settle()
    expect(await store.entries()).toHaveLength(3)
    await wake()
    expect((await store.entries()).map(({ content }) => content)).toEqual(['of Boris'])
    expect(await store.load()).toMatchObject({ session: undefined, rooms: ['general'], readAt: new Map() })
    expect(two.client.outbox).toEqual([])
  })

  test('takes nothing from somebody who has signed in meanwhile', async () => {
    const { one, two, store, wake } = await openDeaf()
    one.client.signIn('Boris')
    one.wire.accept()
    one.wire.greet('boris')
    one.wire.recover(10)
    one.client.read(general, 10)
    await vi.advanceTimersByTimeAsync(250)
    await wake()
    expect(two.client.identity?.userID).toBe('boris')
    expect(await store.load()).toMatchObject({
      session: { userID: 'boris' }, readAt: new Map([['room/general', { offset: 10, epoch: 'e1' }]]),
    })
  })
})

describe('what other tabs do while a page is loaded', () => {
  test('counts: it has no user who has signed out', async () => {
    const store = new KeepingStore()
    const { client, browser } = await openKnown({ store })
    await store.join('tea')
    const kept = await store.load()
    await client.signOut()
    const late = await openPage({ store, browser, kept })
    late.client.connect()
    expect(late.client.identity).toBeUndefined()
    expect(late.client.rooms).toEqual(['general'])
    expect(late.wire.active).toBe(false)
  })

  test('counts: it has the user who has signed in, and his rooms and read positions', async () => {
    const store = new KeepingStore()
    const kept = await store.load()
    await openKnown({ store })
    await store.join('tea')
    await store.read('room/general', { offset: 7, epoch: 'e1' })
    const { client, wire } = await openPage({ store, kept })
    expect(client.identity?.userID).toBe('me')
    expect(client.readAt(general)).toBe(7)
    client.connect()
    expect(wire.handshake()).toEqual({ sessionID: 'secret of me', rooms: ['general', 'tea'] })
  })

  test('counts for nothing where the store can no longer be read', async () => {
    const store = new KeepingStore()
    await store.signIn({ sessionID: 'secret of me', userID: 'me', username: 'Ana', since: 1 })
    const safe = new SafeStore(store)
    const kept = await safe.load()
    store.load = () => Promise.reject(new DOMException('gone', 'UnknownError'))
    const { client } = await openPage({ store: safe, kept })
    expect(client.identity?.userID).toBe('me')
  })
})

test('a later sign-in counts in every tab, even if the clock was set back', async () => {
  vi.setSystemTime(new Date('2030-01-01'))
  const one = await openLive()
  const two = await openPage({ store: one.store, browser: one.browser })
  vi.setSystemTime(new Date('2026-01-01'))
  one.client.signIn('Boris')
  one.wire.accept()
  one.wire.greet('boris')
  expect(two.client.identity?.userID).toBe('boris')
  expect((await one.store.load()).session?.userID).toBe('boris')
})
