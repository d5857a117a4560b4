/** What becomes of what one types. */

import { describe, expect } from 'vitest'

import { lines } from '../chatpage'
import { test } from './fixtures'
import { loggedIn } from './log'

const tooLong = 'x'.repeat(16 * 1024 + 1)

test('a message is one\'s own, dated, and nowhere twice once it is stored', async ({ entered }) => {
  const [ana, boris] = [await entered('Ana'), await entered('Boris')]
  await ana.say('hello')
  for (const chat of [ana, boris]) await chat.shows(['hello'])
  await ana.hasMarks([])
  const row = boris.row('hello')
  expect(await row.locator('.author').innerText()).toContain('Ana')
  expect(Date.parse(await row.locator('time').getAttribute('datetime') ?? '')).toBeGreaterThan(Date.now() - 60_000)
  expect(await ana.page.inputValue('#content')).toBe('')
  expect(await boris.page.locator('#messages li.day').count()).toBe(1)
})

describe('a message that is refused', () => {
  test('says why, holds up nothing that follows, and can be discarded', async ({ server, entered }) => {
    const ana = await entered('Ana')
    const closesTheConnection = 'y'.repeat(1024 * 1024)
    await ana.say(tooLong, closesTheConnection, 'short')
    await ana.shows(['short'])
    await expect.poll(() => ana.reasons()).toEqual(['Not sent: too long', 'Not sent: too long'])
    await ana.live()
    for (const left of [1, 0]) {
      await ana.page.locator('#outbox').getByRole('button', { name: 'Discard' }).first().click()
      await expect.poll(() => ana.marks()).toHaveLength(left)
    }
    await ana.page.reload()
    await ana.shows(['short'])
    expect(await ana.marks()).toEqual([])
    expect(await loggedIn(server, 'general')).toEqual(['short'])
  })

  test('is still there after a reload, and is refused again as a new message if the reason remains', async ({ entered }) => {
    const ana = await entered('Ana')
    await ana.say(tooLong)
    await expect.poll(() => ana.reasons()).toEqual(['Not sent: too long'])
    await ana.page.reload()
    await expect.poll(() => ana.reasons()).toEqual(['Not sent: too long'])
    await ana.live()
    const key = () => ana.page.locator('#outbox li[data-key]').getAttribute('data-key')
    const before = await key()
    await ana.page.locator('#outbox').getByRole('button', { name: 'Retry' }).click()
    await expect.poll(key).not.toBe(before)
    await expect.poll(() => ana.reasons()).toEqual(['Not sent: too long'])
  })

  test('is sent by "Retry" once the reason is gone', async ({ server, entered }) => {
    const ana = await entered('Ana')
    await ana.say(tooLong, 'after it')
    await ana.shows(['after it'])
    await expect.poll(() => ana.reasons()).toEqual(['Not sent: too long'])
    await server.stop()
    await server.start({ TIDEMARK_GATEWAY_MAX_CONTENT_BYTES: '32768' })
    await ana.live()
    await ana.page.locator('#outbox').getByRole('button', { name: 'Retry' }).click()
    await ana.shows(['after it', tooLong])
    await ana.hasMarks([])
  })
})

describe('a rate limit', () => {
  test.override({ settings: { TIDEMARK_GATEWAY_RATE_LIMIT: '8' } })

  test('makes what is typed too fast wait, and keeps its order', async ({ server, entered }) => {
    const ana = await entered('Ana')
    const texts = lines('fast', 1, 30)
    await ana.say(...texts)
    await ana.shows(texts)
    await ana.hasMarks([])
    expect(await loggedIn(server, 'general')).toEqual(texts)
  })
})

describe('a text', () => {
  test('is shown exactly as it was typed, in every script', async ({ entered }) => {
    const [ana, boris] = [await entered('Ana'), await entered('Boris')]
    const texts = ['👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301', 'שלום, עולם!', 'مرحبا 123', '  two  spaces,\ttab  ', '日本語']
    await ana.say(...texts)
    for (const chat of [ana, boris]) await chat.shows(texts)
    const direction = (text: string) => boris.row(text).locator('.text').evaluate((element) => {
      return [...element.querySelectorAll('*'), element].map((part) => getComputedStyle(part).direction).includes('rtl')
    })
    expect(await direction('שלום, עולם!')).toBe(true)
    expect(await direction('日本語')).toBe(false)
  })

  test('of several lines is typed with Shift+Enter', async ({ server, entered }) => {
    const ana = await entered('Ana')
    await ana.page.locator('#content').pressSequentially('one')
    await ana.page.press('#content', 'Shift+Enter')
    await ana.page.locator('#content').pressSequentially('two')
    await ana.page.press('#content', 'Enter')
    await ana.shows(['one\ntwo'])
    const height = (text: string) => ana.row(text).locator('.text').evaluate((element) => element.getBoundingClientRect().height)
    await ana.say('three')
    await ana.shows(['one\ntwo', 'three'])
    expect(await height('one\ntwo')).toBeGreaterThan(1.5 * (await height('three')))
    expect(await loggedIn(server, 'general')).toEqual(['one\ntwo', 'three'])
  })

  test('that an input method is composing is not sent by its Enter; white space alone is not sent at all', async ({ server, entered }) => {
    const ana = await entered('Ana')
    await ana.page.fill('#content', 'にほ')
    await ana.page.locator('#content').dispatchEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true })
    expect(await ana.page.inputValue('#content')).toBe('にほ')
    await ana.say('', ' ', '\n', '日本')
    await ana.shows(['日本'])
    expect(await loggedIn(server, 'general')).toEqual(['日本'])
  })

  test('that is long is folded until one asks for all of it', async ({ entered }) => {
    const ana = await entered('Ana')
    const long = lines('line', 1, 400).join('\n')
    await ana.say(long)
    await ana.shows([long])
    const row = ana.page.locator('#messages li[data-offset]')
    const height = () => row.evaluate((element) => element.getBoundingClientRect().height)
    const screen = await ana.page.locator('#scroll').evaluate((element) => element.clientHeight)
    expect(await height()).toBeLessThan(screen)
    const unfold = row.locator('button[aria-expanded]')
    expect(await unfold.getAttribute('aria-expanded')).toBe('false')
    await unfold.click()
    await expect.poll(height).toBeGreaterThan(screen)
    expect(await unfold.getAttribute('aria-expanded')).toBe('true')
    await unfold.click()
    await expect.poll(height).toBeLessThan(screen)
  })

  test('has links for addresses of the web, and only for those', async ({ entered }) => {
    const ana = await entered('Ana')
    const text = 'see https://example.org/a?b=c#d, (http://example.net/x) and javascript:alert(1) or data:text/html,x file:///etc'
    await ana.say(text)
    await ana.shows([text])
    const links = ana.row(text).locator('.text a')
    const attributes = await links.evaluateAll((elements) => elements.map((link) => {
      return [link.getAttribute('href'), link.getAttribute('target'), link.getAttribute('rel')]
    }))
    expect(attributes).toEqual(['https://example.org/a?b=c#d', 'http://example.net/x'].map((href) => {
      return [href, '_blank', expect.stringMatching(/(?=.*noopener)(?=.*noreferrer)/)]
    }))
  })
})
