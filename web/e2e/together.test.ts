/** All pages at the same time on one server, each doing its job. */

import { expect } from 'vitest'

import { type ChatPage, everyoneShows, lines, onWebSocket } from './chatpage'
import { LoungePage } from './loungepage'
import { Chat } from './own/chat'
import { test, type PrivatePage } from './privatepage'
import { openTutorial } from './tutorialpage'

/** People who write to each other in private, and what the first one said. */
interface Pair {
  people: [PrivatePage, PrivatePage]
  said: string[]
}

async function see({ people: [ana, boris] }: Pair): Promise<void> {
  await ana.shows(['Ana (yourself) online', 'Boris online', 'Olga online'])
  await boris.shows(['Boris (yourself) online', 'Ana online', 'Olga online'])
}

async function showAll({ people: [ana, boris], said }: Pair): Promise<void> {
  await ana.reads('Boris', said.map((text) => `You: ${text}`))
  await boris.reads('Ana', said.map((text) => `Ana: ${text}`))
}

/** Everybody says so many lines more, all at the same time. */
async function sayMore(count: number, typed: Map<ChatPage, string[]>, pair: Pair): Promise<void> {
  const more = (author: string, said: string[]) => lines(author, said.length + 1, said.length + count)
  const work = [...typed].map(([page, said], n) => ({ page, said, texts: more(`in public, ${n}:`, said) }))
  const secrets = more('in private', pair.said)
  await Promise.all([...work.map(({ page, texts }) => page.say(...texts)), pair.people[0].say('Boris', ...secrets)])
  for (const { said, texts } of work) said.push(...texts)
  pair.said.push(...secrets)
}

test('our page, the tutorial, the lounge and private messages, through a kill -9', async ({ server, person, entered }) => {
  const tutorial = await openTutorial(await person(), server.url)
  const own = new Chat(await person())
  await own.page.goto(server.url)
  await own.enter('Olga')
  const chats: ChatPage[] = [own, tutorial]
  const lounges = await Promise.all([0, 1].map(async () => LoungePage.open(await person(), server.url)))
  for (const [n, lounge] of lounges.entries()) await lounge.enter(`Guest${n}`)
  const pair: Pair = { people: await Promise.all([entered('Ana'), entered('Boris')]), said: [] }
  const typed = new Map<ChatPage, string[]>([...chats, ...lounges].map((page) => [page, []]))
  const everythingArrives = async () => {
    await showAll(pair)
    const inLounge = [...lounges, own].flatMap((page) => typed.get(page)!)
    const all = [...typed.values()].flat()
    for (const page of chats) await expect.poll(async () => (await page.texts()).toSorted()).toEqual(all.toSorted())
    // Messages of people without a name do not come to the lounge.
    for (const page of lounges) await expect.poll(async () => (await page.texts()).toSorted()).toEqual(inLounge.toSorted())
  }

  await see(pair)
  for (const lounge of lounges) await lounge.counts(2)
  await onWebSocket(tutorial.page)
  await sayMore(4, typed, pair)
  await everythingArrives()
  await Promise.all([tutorial.say('at the moment of the crash'), server.kill()])
  typed.get(tutorial)!.push('at the moment of the crash')
  await server.start()
  await see(pair)
  for (const lounge of lounges) {
    await expect.poll(async () => (await lounge.log()).filter((line) => line === 'Welcome')).toHaveLength(2)
    await lounge.counts(2)
  }
  await sayMore(4, typed, pair)
  await everythingArrives()

  await everyoneShows(chats, typed)
  for (const { page } of [...chats, ...lounges]) expect(await page.textContent('body')).not.toContain('in private')
  for (const page of pair.people) expect(JSON.stringify(await page.heard())).not.toContain('in public')
})
