/** A room with 5,000 messages. */

import type { Page } from 'playwright-core'
import { expect } from 'vitest'

import { reopened, testWithArchive as test } from './fixtures'
import { loggedIn } from './log'
import { inSight, readUp } from './scrolling'
import { write } from './writer'

test('scrolling up to the beginning shows every message once, in order, and what one reads stays where it is', async ({ archive, entered }) => {
  const ana = await entered('Ana')
  const reading = await readUp(ana)
  expect(reading.ascending).toBe(true)
  expect(reading.rows).toEqual(archive.messages.map(({ offset, content }) => [offset, content]))
  expect(reading.rows.map(([, text]) => text)).toEqual(await loggedIn(archive.server, 'general'))
  expect(reading.pages).toBeGreaterThan(10)
  expect(reading.jump).toBeLessThanOrEqual(2)
  expect(await ana.page.textContent('#beginning')).toContain('This is the beginning of general.')
})

test('who is at the end stays there as messages come; who is not stays where he is, and may jump to the newest', async ({ server, entered }) => {
  const ana = await entered('Ana')
  const newest = async (room: string, texts: string[]) => {
    return (await write(server.url, { authors: ['Boris'], count: texts.length, room, text: (index) => texts[index] ?? '' })).at(-1)?.offset ?? 0
  }
  await ana.join('lobby')
  const filled = await newest('lobby', Array.from({ length: 80 }, (_, index) => `filling ${index}`))
  await expect.poll(() => inSight(ana.page, filled)).toBe(true)
  expect(await ana.page.locator('#to-end').isVisible()).toBe(false)
  const seen = await newest('lobby', ['comes into sight'])
  await expect.poll(() => inSight(ana.page, seen)).toBe(true)

  await ana.page.locator('#scroll').evaluate((element) => (element.scrollTop = element.scrollHeight / 2))
  const toEnd = ana.page.locator('#to-end')
  await expect.poll(() => toEnd.isVisible()).toBe(true)
  await expect.poll(() => ana.page.locator('#beginning').count()).toBe(1) // nothing more is loaded above
  const position = () => ana.page.locator('#scroll').evaluate((element) => element.scrollTop)
  const before = await position()
  const unseen = await newest('lobby', ['not in sight', 'nor is this'])
  await expect.poll(() => toEnd.innerText()).toContain('2')
  expect(Math.abs((await position()) - before)).toBeLessThanOrEqual(2)
  expect(await inSight(ana.page, unseen)).toBe(false)
  await toEnd.click()
  await expect.poll(() => inSight(ana.page, unseen)).toBe(true)
  await expect.poll(() => toEnd.isVisible()).toBe(false)
})

test('who comes back finds a line "new messages" where he left off', async ({ server, entered }) => {
  let ana = await entered('Ana')
  await ana.join('terrace')
  await write(server.url, { authors: ['Boris'], count: 60, room: 'terrace', text: (index) => `read ${index}` })
  await expect.poll(async () => (await ana.texts()).at(-1)).toBe('read 59')
  await ana.hasUnread('terrace', 0)
  const last = await ana.offsets()
  // How far one has read is kept a moment later: see the limits of the library.
  await expect.poll(() => keptReadAt(ana.page, 'room/terrace')).toBe(last.at(-1))
  await ana.choose('general')
  const address = ana.page.url()
  const [first] = await write(server.url, { authors: ['Boris'], count: 60, room: 'terrace', text: (index) => `unread ${index}` })
  ana = await reopened(ana)
  expect(ana.page.url()).toBe(address)
  await ana.live()
  await ana.hasUnread('terrace', 60)
  await ana.choose('terrace')
  const line = ana.page.locator('#messages li.new')
  await expect.poll(() => line.count()).toBe(1)
  expect(await line.textContent()).toMatch(/new messages/i)
  const next = () => line.evaluate((element) => {
    const rows = [...document.querySelectorAll<HTMLElement>('#messages li')]
    return Number(rows.slice(rows.indexOf(element as HTMLElement)).find((row) => row.dataset.offset !== undefined)?.dataset.offset)
  })
  expect(await next()).toBe(first?.offset)
  expect((await ana.texts()).at(-1)).toBe('unread 59')
})

/** The offset up to which this browser knows a conversation to be read. */
function keptReadAt(page: Page, key: string): Promise<number | undefined> {
  return page.evaluate((key) => new Promise<number | undefined>((resolve, reject) => {
    const opening = indexedDB.open('tidemark')
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const kept = opening.result.transaction('kept').objectStore('kept')
      const asking = kept.openCursor()
      asking.onerror = () => reject(asking.error)
      asking.onsuccess = () => {
        const cursor = asking.result
        if (cursor !== null && !String(cursor.key).endsWith(key)) return cursor.continue()
        opening.result.close()
        resolve((cursor?.value as { offset?: number } | undefined)?.offset)
      }
    }
  }), key)
}
