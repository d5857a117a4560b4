/** A page that behaves as the one of Socket.IO's chat example, with the client that the gateway itself serves. */

import { describe, expect } from 'vitest'

import { lines } from './chatpage'
import { test as base } from './fixtures'
import { LoungePage } from './loungepage'
import { openTutorial } from './tutorialpage'

const test = base.extend<{ enter: (nickname: string) => Promise<LoungePage> }>({
  enter: async ({ server, person }, use) => {
    await use(async (nickname) => {
      const page = await LoungePage.open(await person(), server.url)
      await page.enter(nickname)
      return page
    })
  },
})

/** Everyone in the lounge, who all know of each other. */
async function everyone(enter: (nickname: string) => Promise<LoungePage>, ...nicknames: string[]): Promise<LoungePage[]> {
  const pages: LoungePage[] = []
  for (const nickname of nicknames) pages.push(await enter(nickname))
  await Promise.all(pages.map((page) => page.counts(pages.length)))
  return pages
}

test('who enters is counted and announced, and so is who leaves', async ({ enter }) => {
  const ana = await enter('Ana')
  await ana.counts(1)
  const boris = await enter('Boris')
  await ana.counts(2)
  await boris.counts(2)
  const clara = await enter('Clara')
  for (const page of [ana, boris, clara]) await page.counts(3)
  await boris.page.close()
  for (const page of [ana, clara]) await page.counts(2)
  expect(await ana.log()).toEqual(['Welcome', 'Boris joined', 'Clara joined', 'Boris left'])
  expect(await clara.log()).toEqual(['Welcome', 'Boris left'])
})

test('a message reaches the others, and the sender not a second time', async ({ enter }) => {
  const [ana, boris, clara] = await everyone(enter, 'Ana', 'Boris', 'Clara')
  await Promise.all([ana!.say(...lines('Ana', 1, 10)), boris!.say(...lines('Boris', 1, 10))])
  await clara!.say('<b>last</b> word')
  const ofAna = lines('Ana', 1, 10).map((text) => `Ana: ${text}`)
  const ofBoris = lines('Boris', 1, 10).map((text) => `Boris: ${text}`)
  for (const page of [ana!, boris!, clara!]) {
    const all = [...ofAna, ...ofBoris, 'Clara: <b>last</b> word']
    await expect.poll(async () => (await page.said()).toSorted()).toEqual(all.toSorted())
    const said = await page.said()
    expect(said.filter((line) => line.startsWith('Ana'))).toEqual(ofAna)
    expect(said.filter((line) => line.startsWith('Boris'))).toEqual(ofBoris)
  }
})

describe('typing appears at the others', () => {
  test('and disappears when no more keys are pressed, or with the message', async ({ enter }) => {
    const [ana, boris, clara] = await everyone(enter, 'Ana', 'Boris', 'Clara')
    await ana!.type('hel')
    for (const page of [boris!, clara!]) await page.showsTyping(['Ana'])
    for (const page of [boris!, clara!]) await page.showsTyping([])
    expect(await boris!.said()).toEqual([])
    await ana!.type('hello')
    await ana!.page.press('#message', 'Enter')
    await boris!.shows(['hello'])
    await boris!.showsTyping([])
    await ana!.showsTyping([])
  })

  test('and disappears with who was typing', async ({ enter }) => {
    const [ana, boris] = await everyone(enter, 'Ana', 'Boris')
    // As somebody who goes on typing: without this page's pause after the last key.
    await ana!.page.evaluate("typing = true; socket.emit('typing')")
    await boris!.showsTyping(['Ana'])
    await ana!.page.close()
    await boris!.showsTyping([])
    expect(await boris!.log()).toContain('Ana left')
  })
})

test('kill -9 of the server: everyone is counted once again, nothing is lost or doubled', async ({ server, person, enter }) => {
  const [ana, boris, clara] = await everyone(enter, 'Ana', 'Boris', 'Clara')
  await ana!.say('before')
  for (const page of [ana!, boris!, clara!]) await page.shows(['before'])
  await server.kill()
  for (const page of [ana!, boris!]) await expect.poll(() => page.log()).toContain('Disconnected')
  await ana!.say('typed while away')
  await clara!.page.close()
  await server.start()

  for (const page of [ana!, boris!]) {
    await expect.poll(async () => (await page.log()).filter((line) => line === 'Welcome')).toHaveLength(2)
    await page.counts(2)
  }
  await boris!.say('after')
  await ana!.shows(['before', 'typed while away', 'after'])
  await ana!.say('last word')
  await expect.poll(() => boris!.texts()).toContain('last word')
  // What was sent before Boris was back does not come to this page any more, which has no history.
  const shown = (await boris!.texts()).filter((text) => text !== 'typed while away')
  expect(shown).toEqual(['before', 'after', 'last word'])
  const tutorial = await openTutorial(await person(), server.url)
  await tutorial.shows(['before', 'typed while away', 'after', 'last word'])
})

test('the tutorial\'s page shows what is said in the lounge, and is not counted', async ({ server, person, enter }) => {
  const tutorial = await openTutorial(await person(), server.url)
  await tutorial.say('is anybody there?')
  await tutorial.shows(['is anybody there?'])
  const [ana, boris] = await everyone(enter, 'Ana', 'Boris')
  await ana!.say('from the lounge')
  await boris!.say('me too')
  await expect.poll(async () => (await tutorial.texts()).toSorted())
    .toEqual(['from the lounge', 'is anybody there?', 'me too'])
  await tutorial.page.reload()
  await expect.poll(async () => (await tutorial.texts()).toSorted())
    .toEqual(['from the lounge', 'is anybody there?', 'me too'])
  await ana!.counts(2)
  expect(await ana!.log()).toEqual(['Welcome', 'Boris joined'])
})
