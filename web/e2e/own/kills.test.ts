/** Two people in three tabs, and twenty kills of the gateway or the network in one session, checked against the log. */

import { expect } from 'vitest'

import { Network } from '../network'
import type { Standalone } from '../standalone'
import type { Chat } from './chat'
import { secondTab, test } from './fixtures'
import { logged, type LoggedMessage } from './log'
import { Random, seed } from './random'
import { readUp } from './scrolling'

const kills = 20

/** One tab, and what was typed in it, in that order. */
interface Tab {
  chat: Chat
  name: string
  /** The other one, for direct messages. */
  peer: string
  network: Network
  typed: string[]
}

/** Types a few messages in one of the conversations: a page that was opened without a connection knows no people yet. */
async function type(tab: Tab, random: Random): Promise<void> {
  const title = random.of(['general', 'garden', tab.peer])
  await tab.chat.page.bringToFront() // a tab behind another one is drawn once a second at most
  await tab.chat.choose((await tab.chat.line(title)) === undefined ? 'general' : title)
  for (let count = random.between(1, 3); count > 0; count--) {
    const text = `${tab.name} ${tab.typed.length + 1}`
    tab.typed.push(text)
    await tab.chat.say(text)
  }
}

async function allType(tabs: Tab[], random: Random): Promise<void> {
  for (const tab of tabs) if (random.percent(70)) await type(tab, random)
}

/** Kills something while people type, lets them type on without it, and brings it back while they type. */
async function kill(server: Standalone, tabs: Tab[], random: Random): Promise<string> {
  if (random.percent(50)) {
    await Promise.all([server.kill(), allType(tabs, random)])
    if (random.percent(50)) await allType(tabs, random)
    await Promise.all([server.start(), allType(tabs, random)])
    return 'gateway'
  }
  const { name, network } = random.of(tabs)
  await Promise.all([network.cut(), allType(tabs, random)])
  if (random.percent(50)) await allType(tabs, random)
  network.restore()
  await allType(tabs, random)
  return `network of ${name}`
}

/** What each of the open tab's conversations shows, read from the end to the beginning. */
async function screen(tab: Tab, title: string): Promise<[offset: number, text: string][]> {
  await tab.chat.page.bringToFront()
  await tab.chat.choose(title)
  await expect.poll(() => tab.chat.marks()).toEqual([])
  await tab.chat.live()
  const reading = await readUp(tab.chat)
  expect(reading.ascending).toBe(true)
  return reading.rows
}

function rows(log: LoggedMessage[]): [offset: number, text: string][] {
  return log.map(({ offset, content }) => [offset, content])
}

test(`${kills} kills of gateway or network: every message once in the log and on every screen`, { timeout: 170_000 }, async ({ server, person, open }) => {
  const random = new Random(seed())
  const inside = async (name: string, peer: string): Promise<Tab> => {
    const page = await person()
    const network = await Network.on(page.context())
    const chat = await open(page)
    await chat.enter(name)
    await chat.join('garden')
    return { chat, name, peer, network, typed: [] }
  }
  const ana = await inside('Ana', 'Boris')
  const boris = await inside('Boris', 'Ana')
  const second: Tab = { ...ana, chat: await secondTab(ana.chat), name: 'Ana, second tab', typed: [] }
  await second.chat.live()
  const tabs = [ana, second, boris]

  const killed: string[] = []
  for (let count = 0; count < kills; count++) {
    killed.push(await kill(server, tabs, random))
    if (random.percent(20)) await Promise.all(tabs.map(({ chat }) => chat.live()))
    else if (random.percent(60)) await Promise.all(tabs.map(({ chat }) => chat.impatientlyLive()))
    if (random.percent(20)) await random.of(tabs).chat.page.reload()
  }
  console.info(killed.join(', '))
  for (const { chat } of tabs) {
    await chat.impatientlyLive()
    await expect.poll(() => chat.page.locator('#waiting').isVisible()).toBe(false)
    await chat.hasMarks([])
  }

  const log = await logged(server)
  expect(log.map(({ content }) => content).sort()).toEqual(tabs.flatMap(({ typed }) => typed).sort())
  for (const { typed } of tabs) {
    expect(log.map(({ content }) => content).filter((content) => typed.includes(content))).toEqual(typed)
  }
  for (const tab of tabs) {
    for (const room of ['general', 'garden']) {
      expect(await screen(tab, room)).toEqual(rows(log.filter(({ conversation }) => conversation === `room:${room}`)))
    }
    expect(await screen(tab, tab.peer)).toEqual(rows(log.filter(({ to }) => to !== '')))
  }
})
