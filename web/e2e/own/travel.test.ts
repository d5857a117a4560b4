/** Links to a message, and a conversation as it once was. */

import { expect } from 'vitest'

import { test, testWithArchive } from './fixtures'
import { inSight, readDown } from './scrolling'

testWithArchive('a link to a message shows it marked, between those before and after it, and can be read on to the present', async ({ archive, entered }) => {
  const index = 1_234
  const target = archive.messages[index]
  const chat = await entered('Reader', `#/room/general@${target?.offset}`)
  const row = chat.page.locator('#messages li[data-target=true]')
  await expect.poll(() => row.getAttribute('data-offset')).toBe(String(target?.offset))
  expect(await row.locator('.text').textContent()).toBe(target?.content)
  await expect.poll(() => inSight(chat.page, target?.offset ?? 0)).toBe(true)
  await chat.hasMode('around')
  const texts = await chat.texts()
  expect(texts).toEqual(expect.arrayContaining(archive.messages.slice(index - 5, index + 6).map(({ content }) => content)))

  const reading = await readDown(chat)
  expect(reading.ascending).toBe(true)
  expect(reading.jump).toBeLessThanOrEqual(2)
  const first = reading.rows[0]?.[0] ?? 0
  const expected = archive.messages.filter(({ offset }) => offset >= first)
  expect(reading.rows).toEqual(expected.map(({ offset, content }) => [offset, content]))
  await chat.hasMode('live')
  await chat.say('arrived')
  await expect.poll(async () => (await chat.texts()).at(-1)).toBe('arrived')
})

testWithArchive('a link opened in a page that is open goes there, and "Back to now" returns', async ({ archive, entered }) => {
  const chat = await entered('Reader')
  for (const index of [10, 4_000]) {
    const offset = archive.messages[index]?.offset ?? 0
    await chat.page.evaluate((hash) => { location.hash = hash }, `#/room/general@${offset}`)
    await expect.poll(() => inSight(chat.page, offset)).toBe(true)
  }
  await expect.poll(() => chat.page.locator('#past').innerText()).toMatch(/\w/)
  await chat.page.locator('#back-to-now').click()
  await chat.hasMode('live')
  expect(new URL(chat.page.url()).hash).toBe('#/room/general')
  await expect.poll(() => chat.page.locator('#content').isVisible()).toBe(true)
})

testWithArchive('the slider shows the conversation as of an offset, anywhere in it', async ({ archive, entered }) => {
  const chat = await entered('Traveller')
  await chat.page.click('#travel')
  const slider = chat.page.getByLabel('As of offset')
  const first = archive.messages[0]?.offset ?? 0
  expect(Number(await slider.getAttribute('min'))).toBe(first)
  expect(Number(await slider.getAttribute('max'))).toBeGreaterThanOrEqual(archive.messages.at(-1)?.offset ?? 0)
  for (const index of [2_500, 4_321, 30]) {
    const { offset } = archive.messages[index] ?? { offset: 0 }
    await slider.fill(String(offset))
    const newest = async () => (await chat.offsets()).at(-1)
    await expect.poll(newest).toBe(offset)
    await chat.hasMode('as of')
    expect(await chat.page.locator('#travel-now').innerText()).toContain(`As of offset ${offset.toLocaleString('en')}`)
    const shown = await chat.offsets()
    expect(shown).toEqual(archive.messages.slice(index + 1 - shown.length, index + 1).map((message) => message.offset))
    expect(await chat.page.locator('#composer').isVisible()).toBe(false)
    expect(await chat.page.locator('#past[role=status], #past [role=status]').innerText()).toMatch(/\w/)
  }
  await chat.page.click('#travel-back')
  await chat.hasMode('live')
  expect(await chat.page.locator('#composer').isVisible()).toBe(true)
})

test('a conversation as of an offset has nothing later, whatever comes meanwhile', async ({ entered }) => {
  const [ana, boris] = [await entered('Ana'), await entered('Boris')]
  await ana.say('one', 'two', 'three')
  await ana.shows(['one', 'two', 'three'])
  await ana.page.click('#travel')
  const second = (await ana.offsets())[1]
  await ana.page.getByLabel('As of offset').fill(String(second))
  await ana.shows(['one', 'two'])
  await boris.say('meanwhile')
  await boris.shows(['one', 'two', 'three', 'meanwhile'])
  expect(await ana.texts()).toEqual(['one', 'two'])

  await ana.page.getByRole('button', { name: 'Back to now' }).first().click()
  await ana.hasMode('live')
  await ana.shows(['one', 'two', 'three', 'meanwhile'])
})

test('a conversation as of a time has what had been said by then', async ({ entered }) => {
  const ana = await entered('Ana')
  const second = (at: number) => Math.floor(at / 1_000)
  const times: number[] = []
  for (const text of ['one', 'two', 'three']) {
    await ana.say(text)
    await expect.poll(() => ana.row(text).count()).toBe(1)
    const at = Date.parse(await ana.row(text).locator('time').getAttribute('datetime') ?? '')
    times.push(at)
    await expect.poll(() => second(Date.now())).toBeGreaterThan(second(at))
  }
  await ana.page.click('#travel')
  const pick = (at: number) => ana.page.evaluate((time) => {
    const date = new Date(time)
    return new Date(time - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)
  }, at).then((value) => ana.page.getByLabel('As of time').fill(value))
  await pick(times[1] ?? 0)
  await ana.shows(['one', 'two'])
  await ana.hasMode('as of')
  await pick(times[0] ?? 0)
  await ana.shows(['one'])
  await pick(Date.parse('2020-01-01T12:00Z'))
  await ana.shows([])
  await ana.hasMode('as of')
  await pick(Date.parse('2100-01-01T12:00Z'))
  await ana.shows(['one', 'two', 'three'])
  await ana.hasMode('as of')
})

test('"Copy link" puts the address of a message into the clipboard, which leads there', async ({ entered, open }) => {
  const ana = await entered('Ana')
  await ana.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await ana.join('garden')
  await ana.say('look at this')
  await ana.shows(['look at this'])
  const row = ana.row('look at this')
  await row.hover()
  await row.locator('.link').click()
  const link = () => ana.page.evaluate(() => navigator.clipboard.readText())
  const offset = await row.getAttribute('data-offset')
  await expect.poll(link).toBe(new URL(`/#/room/garden@${offset}`, ana.page.url()).href)

  const boris = await open(undefined, new URL(await link()).hash)
  await boris.enter('Boris')
  const target = boris.page.locator('#messages li[data-target=true]')
  await expect.poll(() => target.getAttribute('data-offset')).toBe(offset)
  expect(await boris.texts()).toEqual(['look at this'])
  expect(await boris.line('garden')).toBeDefined()
})

test('a link to what is not there, or is no address, leaves a page that works', async ({ entered }) => {
  for (const address of ['#/room/general@999999', '#/user/nobody', '#/room/', '#/%zz', '#/room/general@-1', '#nothing']) {
    const chat = await entered('Reader', address)
    await chat.choose('general')
    await chat.hasMode('live')
    await chat.say(`after ${address}`)
    await expect.poll(async () => (await chat.texts()).at(-1), { message: address }).toBe(`after ${address}`)
  }
})
