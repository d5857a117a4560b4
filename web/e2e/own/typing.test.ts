/** Where goes what one types, and the focus, when what one looks at changes. */

import { expect } from 'vitest'

import type { Chat } from './chat'
import { test } from './fixtures'

const focused = (chat: Chat) => chat.page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName)

/** What an input method is composing, in the field that has the focus. */
async function compose(chat: Chat, text: string): Promise<void> {
  const devtools = await chat.page.context().newCDPSession(chat.page)
  await devtools.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
}

test('what an input method is composing when another conversation is opened stays where it was begun', async ({ entered }) => {
  const chat = await entered('Ana')
  await chat.join('garden')
  await chat.page.focus('#content')
  await chat.page.keyboard.type('half a ')
  await compose(chat, 'にほん')
  await expect.poll(() => chat.page.inputValue('#content')).toBe('half a にほん')
  await chat.page.evaluate(() => { location.hash = '#/room/general' })
  await chat.hasOpen('room/general')
  await expect.poll(() => chat.page.getAttribute('#content', 'aria-label')).toBe('Message to general')
  expect(await chat.page.inputValue('#content')).toBe('')
  expect(await focused(chat)).toBe('content')
  await chat.page.keyboard.type('to everybody')
  expect(await chat.page.inputValue('#content')).toBe('to everybody')
  await chat.choose('garden')
  await expect.poll(() => chat.page.inputValue('#content')).toBe('half a にほん')
})

test('keys that an input method takes open nothing', async ({ entered }) => {
  const chat = await entered('Ana')
  await chat.join('garden')
  const press = (isComposing: boolean) => chat.page.locator('#content').evaluate((field, composing) => {
    const init = { key: 'ArrowUp', altKey: true, isComposing: composing, bubbles: true, cancelable: true }
    return field.dispatchEvent(new KeyboardEvent('keydown', init))
  }, isComposing)
  expect(await press(true)).toBe(true)
  expect(await press(false)).toBe(false)
})

test('who types and goes to another conversation types on there', async ({ entered }) => {
  const chat = await entered('Ana')
  await chat.join('garden')
  await chat.page.focus('#content')
  await chat.page.keyboard.type('dear garden')
  await chat.page.keyboard.press('Alt+ArrowUp')
  await expect.poll(() => chat.page.getAttribute('#content', 'aria-label')).not.toBe('Message to garden')
  await expect.poll(() => focused(chat)).toBe('content')
  expect(await chat.page.inputValue('#content')).toBe('')
})

test('what was begun is nothing to whoever signs in next', async ({ entered }) => {
  const chat = await entered('Ana')
  await chat.page.fill('#content', 'a secret')
  await chat.signOut()
  await chat.enter('Boris')
  expect(await chat.page.inputValue('#content')).toBe('')
})

test('who leaves a room is in the conversation that is open instead', async ({ entered }) => {
  const chat = await entered('Ana')
  await chat.join('garden')
  await chat.page.focus('#leave-room')
  await chat.page.keyboard.press('Enter')
  await chat.hasOpen('room/general')
  await expect.poll(() => focused(chat)).toBe('conversation')
})

test('"Dismiss" gives the focus back to where it came from', async ({ entered }) => {
  const chat = await entered('Ana')
  const dismissing = async () => {
    await chat.page.evaluate(() => { location.hash = '#/room/general@999999' })
    await chat.page.waitForSelector('#notice button')
    return chat.page.locator('#notice button')
  }
  const dismiss = await dismissing()
  await chat.page.focus('#travel')
  await dismiss.click()
  await expect.poll(() => dismiss.count()).toBe(0)
  expect(await focused(chat)).toBe('travel')

  await chat.page.evaluate(() => { location.hash = '#/room/general' })
  await chat.page.evaluate(() => (document.activeElement as HTMLElement).blur())
  await (await dismissing()).press('Enter')
  await expect.poll(() => dismiss.count()).toBe(0)
  await expect.poll(() => focused(chat)).toBe('conversation')
})
