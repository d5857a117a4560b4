/** "Try again", where something could not be loaded. */

import { expect } from 'vitest'

import { testWithArchive as test } from './fixtures'
import { inSight } from './scrolling'

test('"Try again" leaves one where one reads, and loads what was missing once it can be had', async ({ archive, entered }) => {
  const chat = await entered('Reader')
  await expect.poll(async () => (await chat.texts()).length).toBeGreaterThan(10)
  const failure = chat.page.locator('#load-failure')
  const top = () => chat.page.locator('#scroll').evaluate((element) => element.scrollTop)
  const count = async () => (await chat.offsets()).length
  await archive.server.kill()
  try {
    await chat.hasPhase('offline')
    await chat.page.locator('#scroll').evaluate((element) => (element.scrollTop = 300))
    await failure.waitFor()
    const [before, loaded] = [await top(), await count()]
    await failure.getByRole('button').press('Enter')
    await expect.poll(() => failure.getByRole('button').getAttribute('aria-disabled')).toBe('false')
    expect([await top(), await count()]).toEqual([before, loaded])
    expect(await chat.page.evaluate(() => document.activeElement?.textContent)).toBe('Try again')
  } finally {
    await archive.server.start()
  }
  const loaded = await count()
  await chat.impatientlyLive()
  await expect.poll(count).toBeGreaterThan(loaded)
  await expect.poll(() => failure.count()).toBe(0)
  expect(await chat.page.evaluate(() => document.activeElement?.id)).toBe('scroll')
})

test('"Try again" goes where one wanted to go last', async ({ archive, entered }) => {
  const chat = await entered('Reader')
  const [moment, target] = [archive.messages[4_000]?.offset, archive.messages[100]?.offset]
  await chat.page.click('#travel')
  await chat.page.getByLabel('As of offset').fill(String(moment))
  await chat.hasMode('as of')
  await archive.server.kill()
  try {
    await chat.hasPhase('offline')
    await chat.page.evaluate((hash) => { location.hash = hash }, `#/room/general@${target}`)
    const button = chat.page.locator('#load-failure button')
    await button.click()
    await expect.poll(() => button.getAttribute('aria-disabled')).toBe('false')
    expect(new URL(chat.page.url()).hash).toBe(`#/room/general@${target}`)
  } finally {
    await archive.server.start()
  }
  await chat.impatientlyLive()
  await expect.poll(() => inSight(chat.page, target ?? 0)).toBe(true)
  await chat.hasMode('around')
})

test('a tab that has been hidden while it loaded goes on when it is back', async ({ entered }) => {
  const chat = await entered('Reader')
  await chat.join('elsewhere')
  const busy = () => chat.page.getAttribute('#messages', 'aria-busy')
  await expect.poll(busy).toBe('false')
  // What a hidden tab does without.
  await chat.page.evaluate(() => {
    const { requestAnimationFrame } = window
    const held: FrameRequestCallback[] = []
    window.requestAnimationFrame = (run) => held.push(run)
    window.addEventListener('release', () => {
      window.requestAnimationFrame = requestAnimationFrame
      held.forEach((run) => run(performance.now()))
    })
  })
  await chat.chooseKey('room/general')
  await expect.poll(async () => (await chat.texts()).length).toBeGreaterThan(10)
  expect(await busy()).toBe('true')
  const count = await chat.page.locator('#messages li[data-offset]').count()
  await chat.page.evaluate(() => window.dispatchEvent(new Event('release')))
  await expect.poll(busy).toBe('false')
  await chat.page.locator('#scroll').evaluate((element) => (element.scrollTop = 0))
  await expect.poll(() => chat.page.locator('#messages li[data-offset]').count()).toBeGreaterThan(count)
})
