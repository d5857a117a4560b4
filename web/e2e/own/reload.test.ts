/** Pages that are loaded again at the worst moment: right after Enter, in the middle of a draft. */

import { expect } from 'vitest'

import { lines } from '../chatpage'
import { test } from './fixtures'
import { loggedIn } from './log'

test('loaded again right after each Enter, the page loses nothing and doubles nothing', async ({ server, entered }) => {
  const ana = await entered('Ana')
  const texts = lines('before a reload', 1, 20)
  for (const text of texts) {
    await ana.say(text)
    await ana.page.reload()
  }
  await ana.live()
  await ana.shows(texts)
  expect(await loggedIn(server, 'general')).toEqual(texts)
})

test('a draft is still there when the page is loaded again', async ({ entered }) => {
  const ana = await entered('Ana')
  await ana.page.fill('#content', 'to be continued')
  await ana.page.reload()
  await ana.live()
  expect(await ana.page.inputValue('#content')).toBe('to be continued')
})

test('whoever joins a room and types on writes to that room', async ({ server, entered }) => {
  const ana = await entered('Ana')
  await ana.page.fill('#room-name', 'garden')
  await ana.page.press('#room-name', 'Enter')
  await expect.poll(() => ana.page.evaluate(() => document.activeElement?.id)).toBe('content')
  await ana.page.keyboard.type('hello garden')
  await ana.page.keyboard.press('Enter')
  await ana.shows(['hello garden'])
  expect(await loggedIn(server, 'garden')).toEqual(['hello garden'])
})

test('closed right after entering, and opened in another tab, the page knows who one is', async ({ open }) => {
  for (const name of lines('guest', 1, 12)) {
    const chat = await open()
    const tab = await chat.page.context().newPage()
    await chat.page.fill('#name', name)
    await chat.page.press('#name', 'Enter')
    await chat.page.waitForSelector('#content')
    await chat.page.close()
    await tab.goto(new URL('/', chat.page.url()).href)
    await tab.waitForSelector('#name, #content')
    expect(await tab.locator('#content').count()).toBe(1)
    await tab.context().close()
  }
})
