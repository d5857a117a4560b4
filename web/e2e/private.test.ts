/** A page that behaves as the one of Socket.IO's private messaging example, from another origin than the gateway's. */

import { describe, expect } from 'vitest'

import { lines } from './chatpage'
import { spoken, test, type PrivatePage } from './privatepage'

/** How often a page was told a private message with this content. */
async function timesTold(page: PrivatePage, content: string): Promise<number> {
  const heard = await page.heard()
  return heard.filter(([name, message]) => name === 'private message' && message.content === content).length
}

test('two people see each other come, go and come back', async ({ entered, open }) => {
  const ana = await entered('Ana')
  await ana.shows(['Ana (yourself) online'])
  const boris = await entered('Boris')
  await boris.shows(['Boris (yourself) online', 'Ana online'])
  await ana.shows(['Ana (yourself) online', 'Boris online'])
  const context = boris.page.context()
  const secondTab = await open(await context.newPage())
  await secondTab.shows(['Boris (yourself) online', 'Ana online'])
  await boris.page.close()
  await ana.say('Boris', 'are you still there?')
  await secondTab.reads('Ana', ['Ana: are you still there?'])
  await ana.shows(['Ana (yourself) online', 'Boris online'])
  await secondTab.page.close()
  await ana.shows(['Ana (yourself) online', 'Boris offline'])

  const back = await open(await context.newPage())
  await back.shows(['Boris (yourself) online', 'Ana online'])
  await ana.shows(['Ana (yourself) online', 'Boris online'])
})

test('each hears from the other in order, and a third nothing of it', async ({ entered }) => {
  const [ana, boris, clara] = await Promise.all([entered('Ana'), entered('Boris'), entered('Clara')])
  await ana.shows(['Ana (yourself) online', 'Boris online', 'Clara online'])
  await boris.shows(['Boris (yourself) online', 'Ana online', 'Clara online'])
  await Promise.all([ana.say('Boris', ...lines('secret of Ana', 1, 10)), boris.say('Ana', ...lines('secret of Boris', 1, 10))])
  await ana.say('Clara', 'to Clara from Ana')
  await boris.say('Clara', 'to Clara from Boris')
  await boris.say('Ana', 'last word')
  await ana.say('Boris', 'last word')

  const ofAna = [...lines('secret of Ana', 1, 10), 'last word']
  const ofBoris = [...lines('secret of Boris', 1, 10), 'last word']
  const linesOf = async (author: string, page: PrivatePage) =>
    (await page.conversation(author)).filter((line) => line.startsWith(author))
  await expect.poll(() => linesOf('Boris', ana)).toEqual(spoken('Boris', ofBoris))
  await expect.poll(() => linesOf('Ana', boris)).toEqual(spoken('Ana', ofAna))
  expect((await ana.conversation('Boris')).toSorted()).toEqual([...spoken('You', ofAna), ...spoken('Boris', ofBoris)].toSorted())
  await expect.poll(() => clara.unread()).toEqual(['Ana', 'Boris'])
  await clara.reads('Ana', ['Ana: to Clara from Ana'])
  expect(await clara.unread()).toEqual(['Boris'])
  await clara.reads('Boris', ['Boris: to Clara from Boris'])
  expect(JSON.stringify(await clara.heard())).not.toContain('secret')
  await clara.reload()
  expect(JSON.stringify(await clara.heard())).not.toContain('secret')
})

describe('two tabs of one person', () => {
  test('show the same conversation, what is said in one once in each', async ({ entered, open }) => {
    const [ana, boris] = await Promise.all([entered('Ana'), entered('Boris')])
    const secondTab = await open(await ana.page.context().newPage())
    await secondTab.shows(['Ana (yourself) online', 'Boris online'])
    await ana.shows(['Ana (yourself) online', 'Boris online'])
    expect(await secondTab.userID()).toBe(await ana.userID())
    const conversation: string[] = []
    for (const [tab, text] of [[ana, 'from the first'], [secondTab, 'from the second'], [ana, 'again']] as const) {
      await tab.say('Boris', text)
      conversation.push(`You: ${text}`)
      for (const either of [ana, secondTab]) await either.reads('Boris', conversation)
    }
    await boris.say('Ana', 'to both')
    for (const tab of [ana, secondTab]) {
      await tab.reads('Boris', [...conversation, 'Boris: to both'])
      expect(await timesTold(tab, 'to both')).toBe(1)
    }
    expect(await timesTold(ana, 'from the first')).toBe(0)
    await boris.reads('Ana', ['Ana: from the first', 'Ana: from the second', 'Ana: again', 'You: to both'])
  })

  test('show a message to oneself once each, and the one it is said in is not told it', async ({ entered, open }) => {
    const ana = await entered('Ana')
    const secondTab = await open(await ana.page.context().newPage())
    await secondTab.shown()
    await ana.say('Ana', 'note')
    await secondTab.reads('Ana', ['You: note'])
    await secondTab.say('Ana', 'second note')
    const notes = ['You: note', 'You: second note']
    await ana.reads('Ana', notes)
    await secondTab.reads('Ana', notes)
    expect([await timesTold(ana, 'note'), await timesTold(secondTab, 'second note')]).toEqual([0, 0])
    for (const tab of [ana, secondTab]) {
      await tab.reload()
      await tab.reads('Ana', notes)
    }
  })
})

describe('a refused name brings the form back', () => {
  test('when it is too long', async ({ open }) => {
    const page = await open()
    await page.page.fill('#name', 'x'.repeat(65))
    await page.page.press('#name', 'Enter')
    await expect.poll(() => page.page.isVisible('#name')).toBe(true)
    await page.enter('Ana')
    await page.shows(['Ana (yourself) online'])
  })

  test('when it is a session the server does not know', async ({ open }) => {
    const page = await open()
    await page.page.evaluate("localStorage.setItem('sessionID', '0123456789abcdef')")
    await page.page.reload()
    await expect.poll(() => page.page.isVisible('#name')).toBe(true)
    await page.enter('Ana')
    await page.shows(['Ana (yourself) online'])
    await page.reload()
    await page.shows(['Ana (yourself) online'])
  })
})
