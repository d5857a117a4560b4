/** Connections that are late, lost and found again: what is typed is stored once and in order, and one sees why it waits. */

import { describe, expect } from 'vitest'

import { expectAscending, lines } from '../chatpage'
import { Network } from '../network'
import type { Standalone } from '../standalone'
import { Chat } from './chat'
import { reopened, secondTab, test } from './fixtures'
import { logged, loggedIn } from './log'
import { write } from './writer'

/** Comes to hold these in this order, each once; and every page comes to show just these. */
async function allStoredOnce(server: Standalone, texts: string[], ...chats: Chat[]): Promise<void> {
  for (const chat of chats) {
    await chat.shows(texts)
    await chat.hasMarks([])
    expectAscending(await chat.offsets())
  }
  expect(await loggedIn(server, 'general')).toEqual(texts)
}

describe('before the first connection', () => {
  test('a name can be chosen, and is taken when there is one', async ({ open, person }) => {
    const page = await person()
    const network = await Network.on(page)
    await network.cut()
    const ana = await open(page)
    await page.fill('#name', 'Ana')
    await page.press('#name', 'Enter')
    await expect.poll(() => ana.phase()).toMatch(/connecting|offline/)
    network.restore()
    await ana.live()
    await ana.userID()
  })

  test('what is typed waits, says for what, and is then sent in order', async ({ server, entered, open }) => {
    const ana = await entered('Ana')
    const page = await ana.page.context().newPage()
    await ana.page.close()
    const network = await Network.on(page)
    await network.cut()
    const early = await open(page)
    await early.say('first', 'second', 'third')
    await early.hasMarks(['first: pending', 'second: pending', 'third: pending'])
    await expect.poll(() => early.reasons()).toEqual(Array(3).fill('Waiting for the connection'))
    await expect.poll(() => early.page.locator('#waiting').innerText()).toContain('3 messages')
    network.restore()
    await early.live()
    await allStoredOnce(server, ['first', 'second', 'third'], early)
    expect(await early.page.locator('#waiting').isVisible()).toBe(false)
  })
})

describe('without network', () => {
  test('the page says so, keeps what is typed, and comes back with what was missed', async ({ server, entered }) => {
    const [ana, boris] = [await entered('Ana'), await entered('Boris')]
    await ana.say('before')
    await boris.shows(['before'])
    await ana.page.context().setOffline(true)
    await ana.hasPhase('offline')
    expect(await ana.page.textContent('#state')).toContain('Offline – trying again')
    expect(await ana.page.getAttribute('#state', 'role')).toBe('status')
    expect(await ana.page.locator('#retry-now').isVisible()).toBe(true)
    await ana.say('typed while away')
    await ana.hasMarks(['typed while away: pending'])
    await boris.say('missed 1', 'missed 2')
    await boris.hasMarks([])
    await ana.page.context().setOffline(false)
    await ana.page.click('#retry-now', { timeout: 2_000 }).catch(() => undefined) // it may have come back by itself
    await ana.live()
    await allStoredOnce(server, ['before', 'missed 1', 'missed 2', 'typed while away'], ana, boris)
  })

  test('lost again and again, each message is stored and shown once, in every tab', async ({ server, entered, person, open }) => {
    const boris = await entered('Boris')
    const page = await person()
    const network = await Network.on(page.context())
    const ana = await open(page)
    await ana.enter('Ana')
    const tab = await secondTab(ana)
    await tab.live()
    const own: string[] = []
    const missed: string[] = []
    for (let round = 1; round <= 4; round++) {
      await Promise.all([ana.say(`round ${round}, sending`), network.cut()])
      await expect.poll(() => ana.phase()).toMatch(/connecting|offline/)
      await boris.say(...lines(`round ${round}, missed`, 1, 2))
      await ana.say(`round ${round}, away`)
      network.restore()
      own.push(`round ${round}, sending`, `round ${round}, away`)
      missed.push(...lines(`round ${round}, missed`, 1, 2))
      await ana.impatientlyLive()
    }
    for (const chat of [ana, boris, tab]) await expect.poll(async () => (await chat.texts()).length).toBe(16)
    const log = await loggedIn(server, 'general')
    expect(log.filter((text) => own.includes(text))).toEqual(own)
    expect(log.filter((text) => missed.includes(text))).toEqual(missed)
    await allStoredOnce(server, log, ana, boris, tab)
  })
})

describe('the gateway', () => {
  test('killed with -9 and started again while both type: nothing is lost or doubled', async ({ server, entered }) => {
    const [ana, boris] = [await entered('Ana'), await entered('Boris')]
    const typed = new Map<Chat, string[]>([[ana, lines('Ana', 1, 24)], [boris, lines('Boris', 1, 24)]])
    const type = (from: number, to: number) => Promise.all([...typed].map(([chat, texts]) => chat.say(...texts.slice(from, to))))
    for (const from of [0, 12]) {
      await type(from, from + 2)
      await Promise.all([type(from + 2, from + 7), server.kill()])
      await type(from + 7, from + 9)
      await Promise.all([type(from + 9, from + 12), server.start()])
      await Promise.all([ana.live(), boris.impatientlyLive()])
    }
    for (const chat of [ana, boris]) await expect.poll(async () => (await chat.texts()).length).toBe(48)
    const log = await loggedIn(server, 'general')
    for (const texts of typed.values()) expect(log.filter((text) => texts.includes(text))).toEqual(texts)
    expect(log).toHaveLength(48)
    await allStoredOnce(server, log, ana, boris)
  })

  test('away: direct messages and rooms wait as well, and go where they belong', async ({ server, entered }) => {
    const [ana, boris] = [await entered('Ana'), await entered('Boris')]
    await ana.join('garden')
    await boris.join('garden')
    await server.stop()
    await ana.hasPhase('offline')
    await ana.say('in the garden')
    await ana.choose('Boris')
    await ana.say('only for Boris')
    await ana.hasMarks(['only for Boris: pending'])
    await ana.choose('general')
    await ana.say('for all')
    await server.start()
    await boris.shows(['in the garden'])
    await boris.choose('Ana')
    await boris.shows(['only for Boris'])
    await boris.choose('general')
    await boris.shows(['for all'])
    expect((await logged(server)).map(({ content, conversation, to }) => [content, to === '' ? conversation : to])).toEqual([
      ['in the garden', 'room:garden'], ['only for Boris', await boris.userID()], ['for all', 'room:general'],
    ])
  })
})

describe('a page that goes away in the middle of sending', () => {
  const texts = lines('message', 1, 12)

  test('by a reload sends all of it, once and in order', async ({ server, entered }) => {
    const ana = await entered('Ana')
    for (let from = 0; from < texts.length; from += 4) {
      await ana.say(...texts.slice(from, from + 4))
      await ana.page.reload()
    }
    await ana.live()
    await allStoredOnce(server, texts, ana)
  })

  test('by being closed sends the rest when it is opened again', async ({ server, entered }) => {
    let ana = await entered('Ana')
    for (let from = 0; from < texts.length; from += 4) {
      await ana.say(...texts.slice(from, from + 4))
      ana = await reopened(ana)
    }
    await ana.live()
    await allStoredOnce(server, texts, ana)
  })

  test('leaves the rest to another tab that is open', async ({ server, entered, open, person }) => {
    const page = await person()
    const ana = await open(page)
    await ana.enter('Ana')
    const boris = await entered('Boris')
    const cutOff = await page.context().newPage()
    const network = await Network.on(cutOff)
    const tab = await open(cutOff)
    await tab.live()
    await network.cut()
    await tab.say('first', 'second')
    await tab.hasMarks(['first: pending', 'second: pending'])
    await tab.page.close()
    await allStoredOnce(server, ['first', 'second'], ana, boris)
  })

  test('while the server is down sends what it had when both are back', async ({ server, entered }) => {
    const ana = await entered('Ana')
    await ana.say('before')
    await ana.shows(['before'])
    await server.kill()
    await ana.say('while it was down 1', 'while it was down 2')
    await ana.hasMarks(['while it was down 1: pending', 'while it was down 2: pending'])
    const url = ana.page.url()
    await ana.page.reload().catch(() => undefined) // there is nothing to load it from
    await server.start()
    await ana.page.goto(url)
    await ana.live()
    await allStoredOnce(server, ['before', 'while it was down 1', 'while it was down 2'], ana)
  })
})

test('catching up 5,000 messages shows how far it has come, and ends with the newest in sight', async ({ server, entered }) => {
  const ana = await entered('Ana')
  const { page } = ana
  await page.context().setOffline(true)
  await expect.poll(() => ana.phase()).not.toBe('live')
  const missed = await write(server.url, { authors: ['Boris', 'Clara'], count: 5_000 })

  await page.evaluate(() => {
    const seen = Object.assign(window, { seen: { texts: [] as string[], bars: 0, busy: false } }).seen
    new MutationObserver(() => {
      seen.texts.push(document.querySelector('#state')?.textContent?.trim() ?? '')
      const bar = document.querySelector('#progress')
      if (bar instanceof HTMLProgressElement && bar.getClientRects().length > 0) seen.bars = Math.max(seen.bars, bar.position)
      seen.busy ||= document.querySelector('#messages [aria-busy=true], #messages[aria-busy=true]') !== null
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
  })
  await page.context().setOffline(false)
  await ana.live()
  const seen = await page.evaluate(() => (window as unknown as { seen: { texts: string[]; bars: number; busy: boolean } }).seen)
  expect(seen.texts).toEqual(expect.arrayContaining([expect.stringMatching(/^Catching up… [\d,]+ messages?, \d+ %/)]))
  expect(seen.bars).toBeGreaterThan(0)
  expect(seen.busy).toBe(true)

  const newest = missed.slice(-20).map(({ content }) => content)
  const end = async () => (await ana.texts()).slice(-20)
  if (await page.locator('#to-end').isVisible()) await page.click('#to-end')
  await expect.poll(end).toEqual(newest)
  await expect.poll(() => ana.row(newest.at(-1) ?? '').isVisible()).toBe(true)
  const offsets = await ana.offsets()
  expectAscending(offsets)
  expect(offsets).toEqual(missed.slice(-offsets.length).map(({ offset }) => offset))
})
