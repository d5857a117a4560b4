/** What the library is for, under random events: what is typed is stored once and in order, what is stored is told once. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { Client } from './client'
import { keyOf, type Conversation, type Message } from './contract'
import { FakeGateway, type Fate, type LogEvent } from './fakegateway'
import { FakeBrowser, FakePage } from './faketabs'
import { FakeWire } from './fakewire'
import { MemoryStore } from './memory'
import type { Store } from './store'

/** Random numbers that a seed repeats. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A page, with all it was told. */
class TestPage {
  readonly told: Message[] = []
  /** From where on each conversation is followed; '' stands for all direct ones. */
  readonly after = new Map<string, number>()
  readonly client: Client
  readonly wire: FakeWire
  readonly #severed: { value: boolean }
  readonly #tabs

  private constructor(store: MemoryStore, browser: FakeBrowser, kept: Awaited<ReturnType<Store['load']>>) {
    const severed = (this.#severed = { value: false })
    const own = new Proxy<Store>(store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => (severed.value ? new Promise(() => {}) : member.apply(target, args))
      },
    })
    let wire: FakeWire | undefined
    this.#tabs = browser.open()
    this.client = new Client({
      wire: (auth) => (wire = new FakeWire(auth)), kept, store: own, tabs: this.#tabs, page: new FakePage(), ackTimeoutMs: 500,
    })
    if (wire === undefined) throw new Error('no wire')
    this.wire = wire
    this.client.on('message', (message) => this.told.push(message))
    this.client.on('following', ({ conversation, after }) => this.after.set(conversation ? keyOf(conversation) : '', after))
  }

  static async open(store: MemoryStore, browser: FakeBrowser): Promise<TestPage> {
    const page = new TestPage(store, browser, await store.load())
    await page.client.begin()
    return page
  }

  /** The tab is gone, whatever it was about to write. */
  crash(gateway: FakeGateway): void {
    this.#severed.value = true
    gateway.lose(this.wire)
    this.#tabs.close()
    this.client.close()
  }

  /** What it must have been told, if it has been told everything. */
  expected(log: readonly LogEvent[], userID: string): number[] {
    return log.filter((event) => FakeGateway.isFor(event, userID, this.client.rooms)).filter(({ room, offset }) => {
      return offset > (this.after.get(room === undefined ? '' : `room/${room}`) ?? Infinity)
    }).map(({ offset }) => offset)
  }
}

const conversations: readonly Conversation[] = [{ room: 'general' }, { room: 'tea' }, { user: 'u9' }, { user: 'u1' }]

async function run(seed: number, { mostPages }: { mostPages: number }) {
  const random = randomOf(seed)
  const chance = (of: number) => random() < of
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const gateway = new FakeGateway()
  gateway.fate = () => pick<Fate>(['stored', 'stored', 'stored', 'stored', 'rate_limited', 'unanswered', 'stored, unanswered'])
  const store = new MemoryStore()
  const browser = new FakeBrowser()
  const pages: TestPage[] = []
  /**
   * What was typed, in order: in each tab, however often it is loaded; others leave alone what a page that is loaded again
   * has left.
   */
  const typed: string[][] = []
  /** Which of the lists each page writes to. */
  const lists: number[] = []
  const open = async () => {
    const page = await TestPage.open(store, browser)
    page.client.connect()
    return page
  }
  const check = (page: TestPage) => {
    const offsets = page.told.map(({ offset }) => offset)
    expect(offsets.length, `seed ${seed}: told twice`).toBe(new Set(offsets).size)
    const others = page.told.filter(({ conversation, from }) => 'room' in conversation || from !== 'u1').map(({ offset }) => offset)
    expect(others, `seed ${seed}: order`).toEqual([...others].sort((a, b) => a - b))
  }
  const loseOrAccept = (page: TestPage) => {
    if (page.wire.connected) gateway.lose(page.wire)
    else if (page.wire.active) gateway.accept(page.wire)
  }

  const first = await open()
  pages.push(first)
  lists.push(typed.push([]) - 1)
  first.client.signIn('Ana')
  gateway.accept(first.wire)
  await vi.advanceTimersByTimeAsync(0)
  void first.client.join('tea').catch(() => {})

  for (let step = 0; step < 150; step++) {
    const index = Math.floor(random() * pages.length)
    const page = pages[index] as TestPage
    const what = random()
    if (what < 0.25) gateway.up(page.wire)
    else if (what < 0.6) gateway.down(page.wire, chance(0.5))
    else if (what < 0.72) {
      const list = typed[lists[index] ?? 0] ?? []
      const content = `${lists[index]}-${list.length + 1}`
      list.push(content)
      page.client.send(pick(conversations), content)
    } else if (what < 0.8) gateway.append({ from: 'u9', key: `k${step}`, content: 'x', ...pick([{ room: 'general' }, { room: 'tea' }, { to: 'u1' }, { to: 'u7' }]) })
    else if (what < 0.86) await vi.advanceTimersByTimeAsync(pick([10, 300, 1_000, 5_000]))
    else if (what < 0.94) loseOrAccept(page)
    else if (what < 0.965) {
      check(page)
      if (chance(0.5)) page.client.close()
      page.crash(gateway)
      await vi.advanceTimersByTimeAsync(pick([0, 300, 2_000]))
      pages[index] = await open()
    } else if (pages.length < mostPages) {
      pages.push(await open())
      lists.push(typed.push([]) - 1)
    }
    await vi.advanceTimersByTimeAsync(0)
  }

  gateway.fate = () => 'stored'
  const isDone = () => pages.every(({ client }) => client.outbox.length === 0 && client.state.phase === 'live')
  for (let round = 0; round < 100 && !isDone(); round++) {
    for (const { wire } of pages) {
      if (!wire.connected) gateway.accept(wire)
      while (gateway.up(wire) || gateway.down(wire));
    }
    await vi.advanceTimersByTimeAsync(2_000)
  }
  for (const { wire } of pages) while (gateway.down(wire));
  await vi.advanceTimersByTimeAsync(0)

  const own = gateway.log.filter(({ from }) => from === 'u1').map(({ content }) => content)
  for (const [list, contents] of typed.entries()) {
    expect(own.filter((content) => content.startsWith(`${list}-`)), `seed ${seed}: stored once, in order`).toEqual(contents)
  }
  for (const page of pages) {
    check(page)
    const told = new Set(page.told.map(({ offset }) => offset))
    const missing = page.expected(gateway.log, 'u1').filter((offset) => !told.has(offset))
    expect(missing, `seed ${seed}: not told`).toEqual([])
  }
  expect(await store.entries(), `seed ${seed}: left in the store`).toEqual([])
  for (const { client } of pages) client.close()
  expect(vi.getTimerCount(), `seed ${seed}: timers`).toBe(0)
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const seeds = Number(process.env.SEEDS ?? 60)

test('one page, through losses, lost acks and reloads', async () => {
  for (let seed = 1; seed <= seeds; seed++) await run(seed, { mostPages: 1 })
}, 200_000)

test('several tabs, some of which crash', async () => {
  for (let seed = 1; seed <= seeds; seed++) await run(10_000 + seed, { mostPages: 3 })
}, 200_000)
