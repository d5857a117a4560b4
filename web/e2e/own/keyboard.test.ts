/** Everything that can be done with a mouse, without one. */

import type { Page } from 'playwright-core'
import { expect } from 'vitest'

import { test } from './fixtures'

const mostStops = 60

/** Presses Tab until the focus is on what `selector` names. */
async function tabTo(page: Page, selector: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const there = () => page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)
  for (let stops = 0; !(await there()); stops++) {
    if (stops === mostStops) throw new Error(`Tab does not lead to ${selector}`)
    await page.keyboard.press(key)
  }
}

/** What has the focus shows that it has: by an outline, or a shadow in its place. */
async function expectVisibleFocus(page: Page): Promise<void> {
  const outline = await page.evaluate(() => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement ?? document.body)
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none'
  })
  expect(outline).toBe(true)
}

test('one enters, talks in rooms and with people, and signs out by keyboard alone', async ({ open, entered }) => {
  const boris = await entered('Boris')
  const ana = await open()
  const { keyboard } = ana.page
  await tabTo(ana.page, '#name')
  await keyboard.type('Ana')
  await keyboard.press('Enter')
  await ana.live()

  await tabTo(ana.page, '#content')
  await keyboard.type('hello')
  await keyboard.press('Enter')
  await boris.shows(['hello'])

  await tabTo(ana.page, '#room-name')
  await expectVisibleFocus(ana.page)
  await keyboard.type('garden')
  await keyboard.press('Enter')
  await ana.hasOpen('room/garden')
  await tabTo(ana.page, '#content')
  await keyboard.type('in the garden')
  await keyboard.press('Enter')
  await ana.shows(['in the garden'])

  await tabTo(ana.page, `#people a[data-conversation="user/${await boris.userID()}"]`)
  await expectVisibleFocus(ana.page)
  await keyboard.press('Enter')
  await expect.poll(() => ana.title()).toBe('Boris')
  await tabTo(ana.page, '#content')
  await keyboard.type('only for you')
  await keyboard.press('Enter')
  await boris.hasUnread('Ana', 1)

  await tabTo(ana.page, '#rooms a[data-conversation="room/garden"]')
  await keyboard.press('Enter')
  await tabTo(ana.page, '#leave-room')
  await keyboard.press('Enter')
  await expect.poll(() => ana.line('garden')).toBeUndefined()

  await tabTo(ana.page, '#sign-out')
  await keyboard.press('Enter')
  await ana.page.waitForSelector('dialog[open]')
  await keyboard.press('Escape')
  await expect.poll(() => ana.page.locator('dialog[open]').count()).toBe(0)
  expect(await ana.page.evaluate(() => document.activeElement?.id)).toBe('sign-out')
  await keyboard.press('Enter')
  await tabTo(ana.page, '#confirm-sign-out')
  await expectVisibleFocus(ana.page)
  await keyboard.press('Enter')
  await ana.page.waitForSelector('form#welcome')
})

test('Alt with the arrows up and down goes from conversation to conversation', async ({ entered }) => {
  const ana = await entered('Ana')
  for (const room of ['attic', 'cellar']) await ana.join(room)
  const keys = (await ana.lines()).map(({ key }) => key)
  await ana.choose('general')
  const start = keys.indexOf('room/general')
  const next = (start + 1) % keys.length
  await ana.page.focus('#content')
  await ana.page.keyboard.press('Alt+ArrowDown')
  await ana.hasOpen(keys[next] ?? '')
  await ana.page.keyboard.press('Alt+ArrowUp')
  await ana.hasOpen('room/general')
})

test('a refused message is retried and discarded by keyboard', async ({ entered }) => {
  const ana = await entered('Ana')
  await ana.say('x'.repeat(16 * 1024 + 1))
  await expect.poll(() => ana.reasons()).toEqual(['Not sent: too long'])
  const key = () => ana.page.locator('#outbox li[data-key]').getAttribute('data-key')
  const before = await key()
  await tabTo(ana.page, '#outbox button', 'Shift+Tab')
  const focused = () => ana.page.evaluate(() => document.activeElement?.textContent?.trim())
  const press = async (name: string) => {
    for (let stops = 0; (await focused()) !== name && stops < mostStops; stops++) await ana.page.keyboard.press('Tab')
    await ana.page.keyboard.press('Enter')
  }
  await press('Retry')
  await expect.poll(key).not.toBe(before)
  await expect.poll(() => ana.reasons()).toEqual(['Not sent: too long'])
  await press('Discard')
  await ana.hasMarks([])
})

test('time travel is entered, steered and left by keyboard', async ({ entered }) => {
  const ana = await entered('Ana')
  await ana.say('one', 'two', 'three')
  await ana.shows(['one', 'two', 'three'])
  await tabTo(ana.page, '#travel')
  await ana.page.keyboard.press('Enter')
  await tabTo(ana.page, '#travel-offset')
  await expectVisibleFocus(ana.page)
  await ana.page.keyboard.press('Home')
  await ana.hasMode('as of')
  await ana.shows(['one'])
  await ana.page.keyboard.press('Escape')
  await ana.hasMode('live')
  await ana.shows(['one', 'two', 'three'])
})

test('Escape closes the list of conversations on a narrow screen', async ({ entered }) => {
  const ana = await entered('Ana')
  await ana.page.setViewportSize({ width: 360, height: 740 })
  const sidebar = ana.page.locator('#conversations')
  await expect.poll(() => sidebar.isVisible()).toBe(false)
  await tabTo(ana.page, '#show-conversations')
  await ana.page.keyboard.press('Enter')
  await expect.poll(() => sidebar.isVisible()).toBe(true)
  await ana.page.keyboard.press('Escape')
  await expect.poll(() => sidebar.isVisible()).toBe(false)
  expect(await ana.page.evaluate(() => document.activeElement?.id)).toBe('show-conversations')
})
