import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { Adoption } from './adoption'
import { MemoryStore } from './memory'
import type { KeptEntry } from './store'
import { parseTabMessage, type TabMessage } from './tabmessage'
import { BrowserTabs, reloadMs } from './tabs'

interface Waiting {
  shared: boolean
  grant: () => void
}

/** Web Locks as the browser has them: in the order of asking, shared by those that follow each other and say so. */
class FakeLocks {
  readonly #held = new Map<string, { shared: boolean; count: number }>()
  readonly #queues = new Map<string, Waiting[]>()

  request = (async (name: string, options: LockOptions, callback: (lock: Lock | null) => Promise<unknown>) => {
    const shared = options.mode === 'shared'
    if (!this.#isFree(name, shared)) {
      if (options.ifAvailable) return callback(null)
      await this.#turn(name, shared, options.signal)
    } else this.#hold(name, shared)
    try {
      return await callback({ name, mode: options.mode ?? 'exclusive' })
    } finally {
      this.#release(name)
    }
  }) as LockManager['request']

  #isFree(name: string, shared: boolean): boolean {
    const held = this.#held.get(name)
    return held === undefined || (shared && held.shared)
  }

  #turn(name: string, shared: boolean, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((grant, reject) => {
      const queue = this.#queues.get(name) ?? []
      const waiting = { shared, grant }
      this.#queues.set(name, queue)
      queue.push(waiting)
      signal?.addEventListener('abort', () => {
        queue.splice(queue.indexOf(waiting), 1)
        reject(new DOMException('aborted', 'AbortError'))
      })
    })
  }

  #hold(name: string, shared: boolean): void {
    this.#held.set(name, { shared, count: (this.#held.get(name)?.count ?? 0) + 1 })
  }

  #release(name: string): void {
    const held = this.#held.get(name)
    if (held !== undefined && --held.count === 0) this.#held.delete(name)
    const queue = this.#queues.get(name) ?? []
    for (let [next] = queue; next !== undefined && this.#isFree(name, next.shared); [next] = queue) {
      queue.shift()
      this.#hold(name, next.shared)
      next.grant()
    }
  }
}

const open: BrowserTabs[] = []
beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  for (const tabs of open.splice(0)) tabs.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

/** Lets everything happen that follows the end of a tab. */
const pause = () => vi.advanceTimersByTimeAsync(reloadMs)

async function tab(locks?: FakeLocks): Promise<BrowserTabs> {
  const tabs = new BrowserTabs({ locks, channel: new BroadcastChannel('tidemark') })
  open.push(tabs)
  await tabs.enter()
  return tabs
}

describe('a tab', () => {
  test('is not gone while it lives, and gone when it is closed', async () => {
    const locks = new FakeLocks()
    const [one, other] = [await tab(locks), await tab(locks)]
    expect(await other.isGone(one.id)).toBe(false)
    one.close()
    await expect.poll(() => other.isGone(one.id)).toBe(true)
  })

  test('is gone for all who watch it, even if one of them is frozen', async () => {
    const locks = new FakeLocks()
    const one = await tab(locks)
    const frozen = locks.request(`tidemark tab ${one.id}`, { mode: 'shared' }, () => new Promise(() => {}))
    const gone: string[] = []
    for (const name of ['x', 'y']) (await tab(locks)).watch(one.id, () => gone.push(name))
    expect(gone).toEqual([])
    one.close()
    await pause()
    expect(gone).toEqual(['x', 'y'])
    expect(frozen).toBeInstanceOf(Promise)
  })

  test('is watched once, not by itself, and by nobody who is gone', async () => {
    const locks = new FakeLocks()
    const [one, other, third] = [await tab(locks), await tab(locks), await tab(locks)]
    const gone: string[] = []
    one.watch(one.id, () => gone.push('itself'))
    for (const times of ['once', 'twice']) other.watch(one.id, () => gone.push(times))
    third.watch(one.id, () => gone.push('closed'))
    third.close()
    one.close()
    await pause()
    expect(gone).toEqual(['once'])
  })

  test('is gone for those who watch it after a pause, and never for one that is closed meanwhile', async () => {
    const locks = new FakeLocks()
    const [one, other, third] = [await tab(locks), await tab(locks), await tab(locks)]
    const gone: string[] = []
    other.watch(one.id, () => gone.push('other'))
    third.watch(one.id, () => gone.push('third'))
    one.close()
    await vi.advanceTimersByTimeAsync(reloadMs - 1)
    expect(gone).toEqual([])
    expect(await other.isGone(one.id)).toBe(true)
    third.close()
    await vi.advanceTimersByTimeAsync(1)
    expect(gone).toEqual(['other'])
  })

  test('is forgotten when it is gone', async () => {
    const locks = new FakeLocks()
    const [one, other] = [await tab(locks), await tab(locks)]
    const gone: string[] = []
    other.watch(one.id, () => gone.push('while it lived'))
    one.close()
    await pause()
    other.watch(one.id, () => gone.push('afterwards'))
    await pause()
    expect(gone).toEqual(['while it lived', 'afterwards'])
  })

  test('counts as gone where there are no locks', async () => {
    const [one, other] = [await tab(), await tab()]
    expect(await other.isGone(one.id)).toBe(true)
  })

  test('counts as gone where the browser refuses locks', async () => {
    const refusing = { request: () => Promise.reject(new DOMException('no', 'SecurityError')) }
    const tabs = new BrowserTabs({ locks: refusing })
    await tabs.enter()
    expect(await tabs.isGone('another')).toBe(true)
  })

  test('tells the others, not itself, and what it cannot understand is ignored', async () => {
    const [one, other] = [await tab(), await tab()]
    const heard: TabMessage[] = []
    one.listen(() => heard.push({ type: 'left', room: 'myself' }))
    other.listen((message) => heard.push(message))
    const stranger = new BroadcastChannel('tidemark')
    stranger.postMessage({ type: 'from the future' })
    stranger.close()
    one.post({ type: 'joined', room: 'tea' })
    await expect.poll(() => heard).toContainEqual({ type: 'joined', room: 'tea' })
    expect(heard.filter((message) => message.type !== 'left')).toHaveLength(1)
  })

  test('lives without a channel', async () => {
    const tabs = new BrowserTabs({})
    await tabs.enter()
    tabs.listen(() => {})
    tabs.post({ type: 'joined', room: 'tea' })
    tabs.close()
    tabs.post({ type: 'joined', room: 'tea' })
  })
})

describe('entries', () => {
  const entry = (key: string, owner: string): KeptEntry => {
    return { key, tab: owner, conversation: { room: 'general' }, content: key, typedAt: 0 }
  }

  async function adopting(tabs: BrowserTabs, store: MemoryStore): Promise<string[]> {
    const adopted: string[] = []
    const adoption = new Adoption(store, tabs, (entries) => adopted.push(...entries.map(({ key }) => key)))
    await adoption.begin()
    return adopted
  }

  test('of tabs that are gone are adopted at once, of others when they are gone, by one tab', async () => {
    const locks = new FakeLocks()
    const store = new MemoryStore()
    const living = await tab(locks)
    await Promise.all([store.put(entry('1', 'long gone')), store.put(entry('2', living.id))])
    const one = await adopting(await tab(locks), store)
    const other = await adopting(await tab(locks), store)
    expect([one, other]).toEqual([['1'], []])
    await store.put(entry('3', living.id))
    living.close()
    await pause()
    expect([...one, ...other].sort()).toEqual(['1', '2', '3'])
  })

  test('of a tab that is loaded again are adopted by its new page, in their order, not by the others', async () => {
    const locks = new FakeLocks()
    const store = new MemoryStore()
    const reloaded = await tab(locks)
    await Promise.all([store.put(entry('1', reloaded.id)), store.put(entry('2', reloaded.id))])
    const other = await adopting(await tab(locks), store)
    reloaded.close()
    await vi.advanceTimersByTimeAsync(reloadMs / 2)
    const page = await tab(locks)
    expect(await adopting(page, store)).toEqual(['1', '2'])
    await pause()
    expect(other).toEqual([])
    expect((await store.entries()).map((kept) => kept.tab)).toEqual([page.id, page.id])
  })

  test('of a tab that does not come back are adopted by another one after a pause', async () => {
    const locks = new FakeLocks()
    const store = new MemoryStore()
    const crashed = await tab(locks)
    await store.put(entry('1', crashed.id))
    const other = await adopting(await tab(locks), store)
    crashed.close()
    await vi.advanceTimersByTimeAsync(reloadMs - 1)
    expect(other).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(other).toEqual(['1'])
  })

  test('that a slow disk gives late are adopted all the same, and the page does not wait so long', async () => {
    const store = new MemoryStore()
    await Promise.all([store.put(entry('1', 'one')), store.put(entry('2', 'other'))])
    const adopt = store.adopt.bind(store)
    store.adopt = async (from, to) => {
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      return adopt(from, to)
    }
    const beginning = adopting(await tab(new FakeLocks()), store)
    await vi.advanceTimersByTimeAsync(5_000)
    const adopted = await beginning
    expect(adopted).toEqual([])
    await vi.advanceTimersByTimeAsync(55_000)
    expect(adopted).toEqual(['1', '2'])
  })

  test('of a tab met later are adopted when it is gone', async () => {
    const locks = new FakeLocks()
    const store = new MemoryStore()
    const adopted: string[] = []
    const adoption = new Adoption(store, await tab(locks), (entries) => adopted.push(...entries.map(({ key }) => key)))
    await adoption.begin()
    const later = await tab(locks)
    adoption.meet(later.id)
    await store.put(entry('1', later.id))
    expect(adopted).toEqual([])
    later.close()
    await pause()
    expect(adopted).toEqual(['1'])
  })

  test('are all adopted at the start where there are no locks', async () => {
    const store = new MemoryStore()
    const living = await tab()
    await store.put(entry('1', living.id))
    expect(await adopting(await tab(), store)).toEqual(['1'])
  })
})

describe('what tabs say', () => {
  const session = { sessionID: 's', userID: 'u', username: 'Ana', since: 1 }

  test.each<TabMessage>([
    { type: 'hello', tab: 'a', answer: true },
    { type: 'read', key: 'room/tea', offset: 3, epoch: 'e1' },
    { type: 'joined', room: 'tea' },
    { type: 'left', room: 'tea' },
    { type: 'signed in', session },
    { type: 'signed out', userID: 'u' },
  ])('$type', (message) => expect(parseTabMessage(message)).toEqual(message))

  test.each([
    undefined, 'hello', {}, { type: 'hello' }, { type: 'read', key: 'tea', offset: 1, epoch: 'e1' },
    { type: 'read', key: 'room/tea', offset: -1, epoch: 'e1' }, { type: 'read', key: 'room/tea', offset: 3 },
    { type: 'joined', room: '' }, { type: 'signed in', session: { ...session, since: 'x' } }, { type: 'signed out' },
  ])('but not %j', (value) => expect(parseTabMessage(value)).toBeUndefined())
})
