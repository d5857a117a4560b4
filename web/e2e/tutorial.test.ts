/** The page of the Socket.IO chat tutorial's last step, with the client that the gateway itself serves. */

import type { Page } from 'playwright-core'
import { expect } from 'vitest'

import { everyoneShows, lines } from './chatpage'
import { test } from './fixtures'
import { Gate } from './gate'
import { openTutorial as open } from './tutorialpage'

/** Keeps the page from connecting until the gate is open. */
async function holdHandshake(page: Page): Promise<Gate> {
  const gate = new Gate()
  await page.route(/\/socket\.io\/\?/, async (route) => {
    await gate.passed
    await route.continue()
  })
  return gate
}

test('several people see the same messages in the same order', async ({ server, person }) => {
  const pages = await Promise.all([0, 1, 2].map(async () => open(await person(), server.url)))
  const typed = new Map(pages.map((page, index) => [page, lines(`person ${index}`, 1, 5)]))
  await Promise.all([...typed].map(([page, texts]) => page.say(...texts)))
  await everyoneShows(pages, typed)

  const late = await open(await person(), server.url)
  await late.shows(await pages[0]!.texts())
})

test('what two people typed before they were connected is all stored', async ({ server, person }) => {
  const people = await Promise.all([person(), person()])
  const gates = await Promise.all(people.map(holdHandshake))
  const pages = await Promise.all(people.map((page) => open(page, server.url)))
  const typed = new Map(pages.map((page, index) => [page, lines(`early ${index}`, 1, 2)]))
  for (const [page, texts] of typed) await page.say(...texts)
  for (const gate of gates) gate.open()
  await everyoneShows(pages, typed)
})

test('who disconnects and comes back gets what was missed, once and in order', async ({ server, person }) => {
  const [here, away] = await Promise.all([0, 1].map(async () => open(await person(), server.url)))
  await here!.say(...lines('before', 1, 3))
  await away!.shows(lines('before', 1, 3))

  await away!.page.click('#toggle')
  await here!.say(...lines('missed', 1, 5))
  await here!.shows([...lines('before', 1, 3), ...lines('missed', 1, 5)])
  await away!.say('typed while away')
  expect(await away!.texts()).toEqual(lines('before', 1, 3))

  await away!.page.click('#toggle')
  await away!.shows([...lines('before', 1, 3), ...lines('missed', 1, 5), 'typed while away'])
  const typed = new Map([[here!, [...lines('before', 1, 3), ...lines('missed', 1, 5)]], [away!, ['typed while away']]])
  await everyoneShows([here!, away!], typed)
})

test('kill -9 of the server while everyone types loses and doubles nothing', async ({ server, person }) => {
  const pages = await Promise.all([0, 1, 2].map(async () => open(await person(), server.url)))
  const typed = new Map(pages.map((page, index) => [page, lines(`person ${index}`, 1, 18)]))
  const type = (from: number, to: number) =>
    Promise.all([...typed].map(([page, texts]) => page.say(...texts.slice(from, to))))

  await type(0, 3)
  await expect.poll(async () => (await pages[0]!.texts()).length).toBeGreaterThan(0)
  await Promise.all([type(3, 9), server.kill()])
  await type(9, 12)
  await Promise.all([type(12, 18), server.start()])
  await everyoneShows(pages, typed)

  const late = await open(await person(), server.url)
  await late.shows(await pages[0]!.texts())
})
