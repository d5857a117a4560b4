/** Our own page at `/`. */

import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'

import { ChatPage, everyoneShows, lines } from './chatpage'
import { test } from './fixtures'
import { Network } from './network'

const contentSecurityPolicy = "default-src 'self'; style-src 'self'; connect-src 'self' ws: wss:"

async function open(page: Page, url: string): Promise<ChatPage> {
  await page.goto(url)
  return new ChatPage(page, { input: '#content', messages: '#messages li' })
}

async function openLive(page: Page, url: string): Promise<ChatPage> {
  const chat = await open(page, url)
  await hasState(chat, 'live')
  return chat
}

async function hasState(chat: ChatPage, phase: string): Promise<void> {
  await expect.poll(() => chat.page.getAttribute('#state', 'data-phase')).toBe(phase)
}

/** One's own messages with their marks: those in their place, then those on their way. */
function marks(chat: ChatPage): Promise<string[]> {
  return chat.page.locator('li[data-mark]').evaluateAll((rows) => rows.map((row) => {
    return `${row.querySelector('.text')?.textContent}: ${(row as HTMLElement).dataset.mark}`
  }))
}

test('several people see the same messages in the same order, their own marked as sent', async ({ server, person }) => {
  const pages = await Promise.all([0, 1, 2].map(async () => openLive(await person(), server.url)))
  const typed = new Map(pages.map((page, index) => [page, lines(`person ${index}`, 1, 5)]))
  await Promise.all([...typed].map(([page, texts]) => page.say(...texts)))
  await everyoneShows(pages, typed)
  for (const [index, page] of pages.entries()) {
    const own = [...typed.get(page)!, `last word ${index}`]
    await expect.poll(() => marks(page)).toEqual(own.map((text) => `${text}: sent`))
  }
  await pages[0]!.page.reload()
  await pages[0]!.shows(await pages[1]!.texts())
})

test('what is typed before the first connection is pending, and sent afterwards', async ({ server, person }) => {
  const [early, other] = await Promise.all([person(), person()])
  const network = await Network.on(early)
  await network.cut()
  const page = await open(early, server.url)
  await page.say('first', 'second')
  await expect.poll(() => marks(page)).toEqual(['first: pending', 'second: pending'])
  await hasState(page, 'connecting')

  network.restore()
  await hasState(page, 'live')
  await expect.poll(() => marks(page)).toEqual(['first: sent', 'second: sent'])
  const witness = await openLive(other, server.url)
  await everyoneShows([page, witness], new Map([[page, ['first', 'second']], [witness, []]]))
})

test('a lost connection comes back with what was missed, once and in order', async ({ server, person }) => {
  const [here, away] = await Promise.all([person(), person()])
  const network = await Network.on(away)
  const [staying, leaving] = await Promise.all([openLive(here, server.url), openLive(away, server.url)])
  const typed = new Map<ChatPage, string[]>([[staying, []], [leaving, []]])
  for (let round = 1; round <= 3; round++) {
    await network.cut()
    await hasState(leaving, 'connecting')
    const said = lines(`round ${round}, missed`, 1, 4)
    const unsent = `round ${round}, typed while away`
    await Promise.all([staying.say(...said), leaving.say(unsent)])
    typed.get(staying)!.push(...said)
    typed.get(leaving)!.push(unsent)
    network.restore()
    await hasState(leaving, 'live')
  }
  await everyoneShows([staying, leaving], typed)
})

describe('the server', () => {
  test('killed with -9 and started again, twice, while everyone types: nothing lost or doubled', async ({ server, person }) => {
    const pages = await Promise.all([0, 1, 2].map(async () => openLive(await person(), server.url)))
    const typed = new Map(pages.map((page, index) => [page, lines(`person ${index}`, 1, 24)]))
    const type = (from: number, to: number) =>
      Promise.all([...typed].map(([page, texts]) => page.say(...texts.slice(from, to))))

    for (const from of [0, 12]) {
      await type(from, from + 2)
      await Promise.all([type(from + 2, from + 7), server.kill()])
      await type(from + 7, from + 9)
      await Promise.all([type(from + 9, from + 12), server.start()])
      await Promise.all(pages.map((page) => hasState(page, 'live')))
    }
    await everyoneShows(pages, typed)
    const late = await openLive(await person(), server.url)
    await late.shows(await pages[0]!.texts())
  })

  test('away: the page says so, keeps what is typed as pending, and sends it when the server is back', async ({ server, person }) => {
    const page = await openLive(await person(), server.url)
    await page.say('before')
    await expect.poll(() => marks(page)).toEqual(['before: sent'])
    await server.stop()
    await hasState(page, 'offline')
    expect(await page.page.textContent('#state')).toBe('Offline – trying again')
    await page.say('meanwhile')
    await expect.poll(() => marks(page)).toEqual(['before: sent', 'meanwhile: pending'])
    await server.start()
    await hasState(page, 'live')
    await expect.poll(() => marks(page)).toEqual(['before: sent', 'meanwhile: sent'])
    await page.shows(['before', 'meanwhile'])
  })
})

test('what the server refuses is marked with the reason, and what follows is sent', async ({ server, person }) => {
  const page = await openLive(await person(), server.url)
  const tooLong = 'x'.repeat(16 * 1024 + 1)
  const closesTheConnection = 'x'.repeat(1024 * 1024)
  await page.say(tooLong, closesTheConnection, 'short')
  await page.shows(['short'])
  const reasons = () => page.page.locator('#outbox li .mark').allTextContents()
  await expect.poll(reasons).toEqual(['Not sent: too long', 'Not sent: too long'])
  await hasState(page, 'live')
})

test('hostile text is shown as the text it is', async ({ server, person }) => {
  const hostile = [
    '<img src=x onerror="window.hostile = true">',
    '<script>window.hostile = true</script>',
    '"><svg onload="window.hostile = true">',
    '&lt;b&gt; &amp; {{7*7}} ${7*7} javascript:hostile=true',
    '\u202eright to left\u0000 \u{1f44d}',
  ]
  const [author, reader] = await Promise.all([0, 1].map(async () => openLive(await person(), server.url)))
  await author!.say(...hostile)
  for (const chat of [author!, reader!]) {
    await chat.shows(hostile)
    expect(await chat.page.locator('#log :is(img, script, svg, b)').count()).toBe(0)
    expect(await chat.page.evaluate(() => 'hostile' in window)).toBe(false)
  }
})

test('works under a strict policy and asks nobody but the gateway', async ({ server, person }) => {
  const page = await person()
  const asked = new Set<string>()
  const complaints: string[] = []
  page.on('request', (request) => asked.add(new URL(request.url()).host))
  page.on('websocket', (socket) => asked.add(new URL(socket.url()).host))
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.route(`${server.url}/`, async (route) => {
    const response = await route.fetch()
    const headers = { ...response.headers(), 'content-security-policy': contentSecurityPolicy }
    await route.fulfill({ response, headers })
  })
  const chat = await openLive(page, server.url)
  await chat.say('hello')
  await expect.poll(() => marks(chat)).toEqual(['hello: sent'])
  expect([...asked]).toEqual([new URL(server.url).host])
  expect(complaints).toEqual([])
})

describe('a rate limit', () => {
  test.override({ settings: { TIDEMARK_GATEWAY_RATE_LIMIT: '8' } })

  test('delays what is typed too fast, and keeps its order', async ({ server, person }) => {
    const page = await openLive(await person(), server.url)
    const texts = lines('fast', 1, 20)
    await page.say(...texts)
    await page.shows(texts)
    await expect.poll(() => marks(page)).toEqual(texts.map((text) => `${text}: sent`))
  })
})
