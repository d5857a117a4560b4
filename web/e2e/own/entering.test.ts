/** Choosing a name, and staying who one is. */

import { expect } from 'vitest'

import { secondTab, test } from './fixtures'

test('who chooses a name is inside, in room general, and listed', async ({ entered }) => {
  const ana = await entered('Ana')
  expect(await ana.title()).toBe('general')
  await ana.userID()
  expect(await ana.line('general')).toMatchObject({ key: 'room/general', unread: 0 })
  expect(await ana.page.title()).toBe('general – Tidemark')
})

test('an empty name and one of 65 characters are refused with a reason; one of 64 is taken', async ({ open }) => {
  const chat = await open()
  const name = chat.page.getByLabel('Your name')
  for (const refused of ['', '   ', 'x'.repeat(65)]) {
    await name.fill(refused)
    await chat.page.getByRole('button', { name: 'Start chatting' }).click()
    await expect.poll(() => chat.page.textContent('#name-error'), { message: JSON.stringify(refused) }).toMatch(/\w/)
    expect(await chat.page.getAttribute('#name-error', 'role')).toBe('alert')
    expect((await name.getAttribute('aria-describedby') ?? '').split(' ')).toContain('name-error')
    expect(await chat.page.locator('form#welcome').isVisible()).toBe(true)
  }
  await name.fill('y'.repeat(64))
  await chat.page.getByRole('button', { name: 'Start chatting' }).click()
  await chat.live()
})

test('names need not differ from others\', nor be of one alphabet', async ({ entered }) => {
  const [first, second] = [await entered('Żółć 名前 👩‍👩‍👧'), await entered('Żółć 名前 👩‍👩‍👧')]
  expect(await first.userID()).not.toBe(await second.userID())
  const namesakes = async () => (await first.lines()).filter(({ title }) => title.startsWith('Żółć 名前 👩‍👩‍👧'))
  await expect.poll(async () => (await namesakes()).length).toBe(2)
})

test('a page opened again, and a second tab, are the same user', async ({ entered }) => {
  const ana = await entered('Ana')
  const userID = await ana.userID()
  await ana.page.reload()
  await ana.live()
  expect(await ana.userID()).toBe(userID)

  const tab = await secondTab(ana)
  await tab.live()
  expect(await tab.userID()).toBe(userID)
  expect((await tab.lines()).filter(({ key }) => key.startsWith('user/'))).toHaveLength(1)
  await tab.say('from the second tab')
  await ana.shows(['from the second tab'])
  expect(await ana.row('from the second tab').getAttribute('data-own')).toBe('true')
})

test('who signs out is nobody in every tab, and a new user when he comes again', async ({ entered }) => {
  const [ana, boris] = [await entered('Ana'), await entered('Boris')]
  const userID = await ana.userID()
  const tab = await secondTab(ana)
  await tab.live()
  await ana.signOut()
  await tab.page.waitForSelector('form#welcome')
  await expect.poll(() => boris.line('Ana')).toMatchObject({ online: false })
  await ana.page.reload()
  await ana.page.waitForSelector('form#welcome')
  await ana.enter('Ana')
  expect(await ana.userID()).not.toBe(userID)
})
