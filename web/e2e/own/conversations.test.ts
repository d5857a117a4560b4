/** Rooms and direct messages between two people: who is there, what is new, who types. */

import { expect } from 'vitest'

import { lines } from '../chatpage'
import { reopened, secondTab, test } from './fixtures'
import { write } from './writer'

test('people come and go in each other\'s lists', async ({ entered }) => {
  const [ana, boris] = [await entered('Ana'), await entered('Boris')]
  await expect.poll(() => ana.line('Boris')).toMatchObject({ online: true })
  await expect.poll(() => boris.line('Ana')).toMatchObject({ online: true })
  const context = boris.page.context()
  await boris.page.close()
  await expect.poll(() => ana.line('Boris')).toMatchObject({ online: false })
  const page = await context.newPage()
  await page.goto(ana.page.url())
  await expect.poll(() => ana.line('Boris')).toMatchObject({ online: true })
})

test('direct messages go both ways, and to nobody else', async ({ entered }) => {
  const [ana, boris, clara] = [await entered('Ana'), await entered('Boris'), await entered('Clara')]
  await ana.choose('Boris')
  await boris.choose('Ana')
  await clara.choose('Ana')
  await ana.say('hello', 'are you there?')
  await boris.shows(['hello', 'are you there?'])
  await boris.say('yes')
  for (const chat of [ana, boris]) await chat.shows(['hello', 'are you there?', 'yes'])
  expect(await ana.title()).toBe('Boris')
  expect(await ana.row('hello').getAttribute('data-own')).toBe('true')
  expect(await ana.row('yes').getAttribute('data-own')).not.toBe('true')
  await clara.say('I am Clara')
  await ana.hasUnread('Clara', 1)
  await clara.shows(['I am Clara'])
  expect((await clara.lines()).map(({ unread }) => unread)).toEqual([0, 0, 0, 0])
})

test('one can write to oneself', async ({ entered }) => {
  const ana = await entered('Ana')
  await ana.chooseKey(`user/${await ana.userID()}`)
  await ana.say('a note')
  await ana.shows(['a note'])
  await ana.page.reload()
  await ana.live()
  await ana.shows(['a note'])
})

test('unread messages are counted in the list and the title, and no longer once read, in any tab', async ({ entered }) => {
  const [ana, boris] = [await entered('Ana'), await entered('Boris')]
  const tab = await secondTab(ana)
  await tab.live()
  await boris.choose('Ana')
  await boris.say('one', 'two', 'three')
  for (const chat of [ana, tab]) {
    await chat.hasUnread('Boris', 3)
    await expect.poll(() => chat.page.title()).toBe('(3) general – Tidemark')
  }
  const link = ana.page.locator('#people a[data-conversation]', { hasText: 'Boris' })
  expect(await link.ariaSnapshot()).toContain('3 unread')

  await ana.choose('Boris')
  await ana.shows(['one', 'two', 'three'])
  await ana.hasUnread('Boris', 0)
  await expect.poll(() => ana.page.title()).toBe('Boris – Tidemark')
  await tab.hasUnread('Boris', 0)
  await expect.poll(() => tab.page.title()).toBe('general – Tidemark')

  await boris.say('four')
  await ana.shows(['one', 'two', 'three', 'four'])
  await tab.hasUnread('Boris', 0)
  await ana.page.reload()
  await ana.live()
  await ana.hasUnread('Boris', 0)
})

test('what came while one was away is unread; more than 99 are "99+"', async ({ server, entered }) => {
  let ana = await entered('Ana')
  await ana.join('garden')
  await ana.choose('general')
  await write(server.url, { authors: ['Boris'], count: 2, room: 'garden' })
  await ana.hasUnread('garden', 2)
  await ana.choose('garden')
  await ana.hasUnread('garden', 0)
  await ana.choose('general')
  await write(server.url, { authors: ['Boris'], count: 1, room: 'garden' })
  await ana.hasUnread('garden', 1)
  ana = await reopened(ana)
  await ana.live()
  await ana.hasUnread('garden', 1)
  await write(server.url, { authors: ['Boris'], count: 120, room: 'garden' })
  await expect.poll(() => ana.page.locator('#rooms .unread').first().textContent()).toContain('99+')
  await ana.choose('garden')
  await ana.hasUnread('garden', 0)
})

test('a room is joined, talked in, left, and then silent', async ({ entered }) => {
  const [ana, boris] = [await entered('Ana'), await entered('Boris')]
  const room = 'Garden & <shed> 100 %/ä'
  await ana.join(room)
  expect(await ana.title()).toBe(room)
  await ana.say('is anybody here?')
  await ana.shows(['is anybody here?'])
  await boris.join(room)
  await boris.shows(['is anybody here?'])
  await boris.say('I am')
  await ana.shows(['is anybody here?', 'I am'])

  await boris.page.click('#leave-room')
  await expect.poll(() => boris.line(room)).toBeUndefined()
  await boris.hasOpen('room/general')
  expect(await boris.page.locator('#leave-room').isVisible()).toBe(false)
  await ana.say('gone?')
  await ana.choose('general')
  await ana.say('last word')
  await boris.shows(['last word'])
  expect(await boris.line(room)).toBeUndefined()

  await ana.page.reload()
  await ana.live()
  await ana.choose(room)
  await ana.shows(['is anybody here?', 'I am', 'gone?'])
})

test('a room\'s name is refused if it is empty or too long', async ({ entered }) => {
  const ana = await entered('Ana')
  for (const name of ['', 'x'.repeat(129)]) {
    await ana.page.getByRole('textbox', { name: 'Room' }).fill(name)
    await ana.page.getByRole('button', { name: 'Join' }).click()
    await expect.poll(() => ana.page.textContent('#join-error')).toMatch(/\w/)
    expect((await ana.lines()).filter(({ key }) => key.startsWith('room/'))).toHaveLength(1)
  }
})

test('who types is shown to those who have the conversation open, until he no longer does', async ({ entered }) => {
  const [ana, boris, clara] = [await entered('Ana'), await entered('Boris'), await entered('Clara')]
  const typing = () => clara.page.locator('#typing').innerText()
  await ana.page.locator('#content').pressSequentially('hello')
  await expect.poll(typing).toBe('Ana is typing…')
  await boris.page.locator('#content').pressSequentially('hm')
  await expect.poll(typing).toBe('Ana and Boris are typing…')
  await ana.page.press('#content', 'Enter')
  await expect.poll(typing).toBe('Boris is typing…')
  await boris.page.fill('#content', '')
  await expect.poll(typing).toBe('')

  await boris.choose('Ana')
  await boris.page.locator('#content').pressSequentially('only for Ana')
  await ana.choose('Boris')
  await expect.poll(() => ana.page.locator('#typing').innerText()).toBe('Boris is typing…')
  expect(await typing()).toBe('')
})

test('a draft waits in its conversation while another one is open', async ({ entered }) => {
  const [ana] = [await entered('Ana'), await entered('Boris')]
  await ana.page.fill('#content', 'to be continued')
  await ana.choose('Boris')
  expect(await ana.page.inputValue('#content')).toBe('')
  await ana.page.fill('#content', 'dear Boris')
  await ana.choose('general')
  expect(await ana.page.inputValue('#content')).toBe('to be continued')
  await ana.choose('Boris')
  expect(await ana.page.inputValue('#content')).toBe('dear Boris')
})

test('more than twelve people can be searched', async ({ server, entered }) => {
  const ana = await entered('Ana')
  expect(await ana.page.locator('#find-person').isVisible()).toBe(false)
  await write(server.url, { authors: lines('Person', 1, 13), count: 13, room: 'elsewhere' })
  await ana.page.fill('#find-person', 'son 12')
  const people = async () => (await ana.lines()).filter(({ key }) => key.startsWith('user/')).map(({ title }) => title)
  await expect.poll(people).toEqual(['Person 12'])
})
