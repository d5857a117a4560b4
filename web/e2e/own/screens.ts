/** Every screen and state of the page, each with how one gets there: axe looks at them, and pictures are taken of them. */

import type { Page } from 'playwright-core'
import { expect } from 'vitest'

import { Network } from '../network'
import type { Standalone } from '../standalone'
import { Chat } from './chat'
import { connected, say, write } from './writer'

export interface Stage {
  server: Standalone
  /** A page of a browser of its own. */
  person: () => Promise<Page>
}

export type Look = { width: 360 | 1440; scheme: 'light' | 'dark' }

export const looks: Look[] = [
  { width: 1440, scheme: 'light' }, { width: 1440, scheme: 'dark' },
  { width: 360, scheme: 'light' }, { width: 360, scheme: 'dark' },
]

export async function take(page: Page, { width, scheme }: Look): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
  await page.setViewportSize({ width, height: width === 360 ? 740 : 900 })
}

/** Looks that a screen has. */
export function looksOf(name: string): Look[] {
  return name === 'conversations' ? looks.filter(({ width }) => width === 360) : looks
}

/** Calls `look` on each screen as it is reached, in one browser; it may leave the page in another look. */
export async function tour({ server, person }: Stage, look: (name: string, page: Page) => Promise<void>): Promise<void> {
  const chat = new Chat(await person())
  const { page } = chat
  const visit = async (name: string) => {
    const before = page.viewportSize()
    await look(name, page)
    if (before !== null) await page.setViewportSize(before)
  }
  const network = await Network.on(page)
  await page.goto(server.url)
  await page.waitForSelector('form#welcome')
  await visit('welcome')
  await page.click('#welcome button')
  await expect.poll(() => page.textContent('#name-error')).toMatch(/\w/)
  await visit('welcome-refused')

  await chat.enter('Ana')
  await visit('empty')
  const people = await furnish(server, chat)
  await visit('chat')
  await people.type()
  await expect.poll(() => page.locator('#typing').innerText()).toContain('typing')
  await page.locator('#content').fill('I will be there, but ')
  await visit('typing')
  await page.locator('#content').fill('')

  await narrow(page, async () => {
    await page.click('#show-conversations')
    await expect.poll(() => page.locator('#conversations').isVisible()).toBe(true)
    await visit('conversations')
    await page.keyboard.press('Escape')
  })
  await choose(chat, 'Boris')
  await visit('direct')
  await choose(chat, 'general')

  await chat.say('x'.repeat(16 * 1024 + 1))
  await expect.poll(() => chat.reasons()).toEqual(['Not sent: too long'])
  await visit('refused')
  await page.locator('#outbox').getByRole('button', { name: 'Discard' }).click()

  await page.click('#travel')
  await page.locator('#travel-offset').fill(String((await chat.offsets()).at(-6)))
  await chat.hasMode('as of')
  await visit('time-travel')
  await page.click('#travel-back')
  await chat.hasMode('live')
  await page.click('#travel')
  await page.goto(`${server.url}/#/room/general@${(await chat.offsets())[8]}`)
  await expect.poll(() => page.locator('#messages li[data-target=true]').count()).toBe(1)
  await visit('link')
  await page.goto(`${server.url}/#/room/general`)
  await chat.live()

  await network.cut()
  await expect.poll(() => chat.phase()).toMatch(/connecting|offline/)
  await chat.say('Has anybody seen my umbrella?')
  await expect.poll(() => chat.reasons()).toEqual(['Waiting for the connection'])
  await visit('offline')
  network.restore()
  await chat.live()
  await chat.hasMarks([])
  people.leave()

  await narrow(page, async () => {
    await page.click('#show-conversations')
    await page.click('#sign-out')
    await page.waitForSelector('dialog[open]')
    await visit('sign-out')
  })
}

/** On a narrow screen; then as before. */
async function narrow(page: Page, then: () => Promise<void>): Promise<void> {
  const before = page.viewportSize()
  await page.setViewportSize({ width: 360, height: 740 })
  await then()
  if (before !== null) await page.setViewportSize(before)
}

/** Opens one of the conversations, by the list that narrow screens hide. */
export async function choose(chat: Chat, title: string): Promise<void> {
  const opener = chat.page.locator('#show-conversations')
  if (await opener.isVisible()) await opener.click()
  await chat.choose(title)
}

const said: [author: 'Boris' | 'Clara' | 'Davit', text: string][] = [
  ['Boris', 'Good morning, everybody'],
  ['Clara', 'Good morning! The new timetable is at https://example.org/timetable'],
  ['Davit', 'დილა მშვიდობისა 👋'],
  ['Boris', 'High water is at 11:40 today, so the path to the island is open until about half past nine.'],
  ['Clara', 'Then let us leave early.'],
  ['Davit', 'שלום, אני מגיע מאוחר יותר'],
  ['Boris', 'What we need:\n- boots\n- something to eat\n- the map, which I have not found yet'],
  ['Clara', 'The map is in the office, second drawer from the top. If it is not there, ask Elena; she had it last week.'],
  ['Davit', '👍'],
  ['Boris', Array.from({ length: 60 }, (_, index) => `${index + 1}. a step of the instructions that nobody reads to the end`).join('\n')],
  ['Clara', 'Thank you. I will read it on the way.'],
  ['Davit', 'Supercalifragilisticexpialidocious'.repeat(6)],
  ['Boris', 'Is the ferry running on Sunday?'],
  ['Clara', 'Every two hours, the last one at 18:00.'],
]

/** Gives the page people, rooms and things said, read and unread. */
async function furnish(server: Standalone, chat: Chat): Promise<{ type: () => Promise<void>; leave: () => void }> {
  const names = ['Boris', 'Clara', 'Davit'] as const
  const sockets = new Map(await Promise.all(names.map(async (username) => {
    return [username, await connected(server.url, { username, rooms: ['general', 'garden', 'Tides & currents'] })] as const
  })))
  const me = await chat.userID()
  const speak = (author: (typeof names)[number], event: string, message: object) => say(sockets.get(author), event, message)
  for (const [author, content] of said.slice(0, 8)) await speak(author, 'room message', { room: 'general', content })
  await expect.poll(async () => (await chat.texts()).length).toBe(8)
  await chat.say('I can bring a camera.')
  await expect.poll(async () => (await chat.texts()).length).toBe(9)
  for (const [author, content] of said.slice(8)) await speak(author, 'room message', { room: 'general', content })
  for (const content of ['Are you coming with us?', 'We meet at the harbour at eight.']) {
    await speak('Boris', 'private message', { to: me, content })
  }
  for (const room of ['garden', 'Tides & currents']) await chat.join(room)
  await choose(chat, 'general')
  await speak('Clara', 'room message', { room: 'garden', content: 'The roses need water.' })
  await expect.poll(async () => (await chat.texts()).at(-1)).toBe(said.at(-1)?.[1])
  return {
    type: async () => void sockets.get('Clara')?.emit('typing', { room: 'general' }),
    leave: () => sockets.forEach((socket) => socket.disconnect()),
  }
}

/** The view of the log, once there is something in it. */
export async function logView({ server, person }: Stage): Promise<Page> {
  const page = await person()
  await page.goto(`${server.url}/log`)
  await expect.poll(() => page.getAttribute('#stream-state', 'data-phase')).toBe('live')
  await write(server.url, { authors: ['Boris', 'Clara'], count: 30 })
  await expect.poll(() => page.locator('#log-events [data-offset]').count()).toBeGreaterThanOrEqual(20)
  await expect.poll(() => page.locator('#checkpoint').innerText(), { timeout: 30_000 }).toMatch(/\d/)
  return page
}
