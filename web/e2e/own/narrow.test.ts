/** A narrow screen, where the list of conversations stands in the place of the open one. */

import type { Page } from 'playwright-core'
import { expect } from 'vitest'

import type { Chat } from './chat'
import { test, testWithArchive } from './fixtures'
import { inSight } from './scrolling'

const focused = (chat: Chat) => chat.page.evaluate(() => document.activeElement?.id)

async function toggleList(chat: Chat, shown: boolean): Promise<void> {
  await chat.page.click('#show-conversations')
  await expectList(chat, shown)
}

async function expectList(chat: Chat, shown: boolean): Promise<void> {
  await expect.poll(() => chat.page.locator('#conversations').isVisible()).toBe(shown)
  await painted(chat.page)
}

/** What depends on the size of things has been told of it. */
function painted(page: Page): Promise<void> {
  return page.evaluate(() => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))))
}

/** The first row in sight, and where it stands. */
function place(page: Page): Promise<[offset: string | undefined, top: number]> {
  return page.evaluate(() => {
    const edge = document.querySelector('#scroll')?.getBoundingClientRect().top ?? 0
    const rows = [...document.querySelectorAll<HTMLElement>('#messages li[data-offset]')]
    const row = rows.find((each) => each.getBoundingClientRect().bottom > edge)
    return [row?.dataset.offset, Math.round(row?.getBoundingClientRect().top ?? 0)]
  })
}

testWithArchive('the list, opened and closed, leaves one where one was: further up, or at the newest', async ({ archive, entered }) => {
  const chat = await entered('Reader')
  await chat.page.setViewportSize({ width: 390, height: 500 })
  const newest = archive.messages.at(-1)?.offset ?? 0
  await expect.poll(() => inSight(chat.page, newest)).toBe(true)
  await toggleList(chat, true)
  await toggleList(chat, false)
  expect(await inSight(chat.page, newest)).toBe(true)
  expect(await chat.page.locator('#to-end').isVisible()).toBe(false)

  await chat.page.locator('#scroll').evaluate((element) => (element.scrollTop -= 700))
  await chat.page.waitForSelector('#to-end')
  await expect.poll(() => chat.page.locator('#older').count()).toBe(0)
  await painted(chat.page)
  const before = await place(chat.page)
  await toggleList(chat, true)
  await toggleList(chat, false)
  const [offset, top] = await place(chat.page)
  expect(offset).toBe(before[0])
  expect(Math.abs(top - before[1])).toBeLessThanOrEqual(2)
})

test('a message that comes while the list is open is unread until the list is closed', async ({ entered }) => {
  const [ana, boris] = [await entered('Ana'), await entered('Boris')]
  await ana.page.setViewportSize({ width: 390, height: 700 })
  await boris.say('read at once')
  await ana.shows(['read at once'])
  await toggleList(ana, true)
  await boris.say('behind the list')
  await ana.hasUnread('general', 1)
  await toggleList(ana, false)
  await ana.hasUnread('general', 0)
  await expect.poll(() => ana.page.locator('#messages li.new').count()).toBe(1)
})

test('a link that is opened while the list is open closes it, and shows its message', async ({ entered }) => {
  const chat = await entered('Reader')
  await chat.say(...Array.from({ length: 18 }, (_, index) => `line ${index} ${'and on '.repeat(40)}`))
  await expect.poll(async () => (await chat.offsets()).length).toBe(18)
  await chat.page.setViewportSize({ width: 390, height: 500 })
  const offset = (await chat.offsets())[2] ?? 0
  expect(await inSight(chat.page, offset)).toBe(false)
  await toggleList(chat, true)
  await chat.page.focus('#room-name')
  await chat.page.evaluate((hash) => { location.hash = hash }, `#/room/general@${offset}`)
  await expectList(chat, false)
  await expect.poll(() => inSight(chat.page, offset)).toBe(true)
  expect(await chat.page.locator('#messages li[data-target]').getAttribute('data-offset')).toBe(String(offset))
  expect(await focused(chat)).toBe('conversation')
})

test('a refused message is told of where its conversation is opened, and with the list hidden on the button that shows it', async ({ entered }) => {
  const [ana, boris] = [await entered('Ana'), await entered('Boris')]
  await ana.join('garden')
  await ana.say('x'.repeat(16 * 1024 + 1))
  await expect.poll(() => ana.reasons()).toEqual(['Not sent: too long'])
  await ana.choose('general')
  await boris.join('garden')
  await boris.say('are you there?')
  await ana.hasUnread('garden', 1)
  const link = ana.page.locator('#rooms a[data-conversation="room/garden"]')
  expect(await link.ariaSnapshot()).toMatch(/garden ?, 1 not sent, 1 unread/)
  await ana.page.setViewportSize({ width: 390, height: 700 })
  const button = ana.page.locator('#show-conversations')
  expect(await button.ariaSnapshot()).toMatch(/Conversations ?, 1 not sent, 1 unread/)
  await toggleList(ana, true)
  await ana.chooseKey('room/garden')
  await ana.page.locator('#outbox').getByRole('button', { name: 'Discard' }).click()
  await expect.poll(() => button.innerText()).toBe('Conversations')
})
