/** People of pages/private.html who go away, lose the network or the server, and come back. */

import { describe, expect } from 'vitest'

import { lines, onWebSocket } from './chatpage'
import { spoken, test, type PrivatePage } from './privatepage'

test('who was away finds what came meanwhile, and then hears what comes', async ({ entered, open }) => {
  const [ana, boris] = await Promise.all([entered('Ana'), entered('Boris')])
  await ana.shows(['Ana (yourself) online', 'Boris online'])
  await ana.say('Boris', 'before')
  await boris.reads('Ana', ['Ana: before'])
  const context = boris.page.context()
  await boris.page.close()
  await ana.shows(['Ana (yourself) online', 'Boris offline'])
  await ana.say('Boris', ...lines('missed', 1, 3))

  const back = await open(await context.newPage())
  await back.shown()
  await ana.shows(['Ana (yourself) online', 'Boris online'])
  await ana.say('Boris', 'after')
  const texts = ['before', ...lines('missed', 1, 3), 'after']
  await back.reads('Ana', spoken('Ana', texts))
  await ana.reads('Boris', spoken('You', texts))
})

describe('a page opened again', () => {
  test('is the same person with the same conversations', async ({ entered }) => {
    const [ana, boris] = await Promise.all([entered('Ana'), entered('Boris')])
    await ana.shows(['Ana (yourself) online', 'Boris online'])
    await ana.say('Boris', 'hello')
    await boris.reads('Ana', ['Ana: hello'])
    await boris.say('Ana', 'hi')
    await ana.reads('Boris', ['You: hello', 'Boris: hi'])
    const userID = await ana.userID()
    await ana.reload()
    expect(await ana.userID()).toBe(userID)
    await ana.shows(['Ana (yourself) online', 'Boris online'])
    await ana.reads('Boris', ['You: hello', 'Boris: hi'])
    await boris.shows(['Boris (yourself) online', 'Ana online'])
  })

  test('again and again while messages come shows each of them once', async ({ entered }) => {
    const [ana, boris] = await Promise.all([entered('Ana'), entered('Boris')])
    await ana.shows(['Ana (yourself) online', 'Boris online'])
    const texts = lines('Ana', 1, 16) // no more than come with the list of people
    for (let said = 0; said < texts.length; said += 4) {
      await Promise.all([ana.say('Boris', ...texts.slice(said, said + 4)), boris.reload()])
    }
    await ana.say('Boris', 'last word')
    await boris.reads('Ana', spoken('Ana', [...texts, 'last word']))
    await boris.reload()
    await boris.reads('Ana', spoken('Ana', [...texts, 'last word']))
  })
})

test('who loses the network and finds it again has missed nothing', async ({ entered }) => {
  const [ana, boris] = await Promise.all([entered('Ana'), entered('Boris')])
  await ana.shows(['Ana (yourself) online', 'Boris online'])
  await ana.say('Boris', 'before')
  await boris.reads('Ana', ['Ana: before'])
  await boris.page.context().setOffline(true)
  await boris.shows(['Boris (yourself) offline', 'Ana online'])
  await boris.say('Ana', 'typed while away')
  await ana.say('Boris', 'missed')
  await boris.page.context().setOffline(false)
  await boris.shows(['Boris (yourself) online', 'Ana online'])
  await ana.reads('Boris', ['You: before', 'You: missed', 'Boris: typed while away'])
  await boris.reload()
  await boris.reads('Ana', ['Ana: before', 'Ana: missed', 'You: typed while away'])
})

describe('the server killed with -9 in the middle of conversations and started again', () => {
  test('twice: nobody and nothing is lost or doubled on any page', async ({ server, entered, open }) => {
    const [ana, boris, clara] = await Promise.all([entered('Ana'), entered('Boris'), entered('Clara')])
    const secondTab = await open(await boris.page.context().newPage())
    const pages = [ana, boris, secondTab, clara]
    const seesAll = async (page: PrivatePage) => {
      await expect.poll(async () => (await page.people()).filter((line) => line.endsWith('online'))).toHaveLength(3)
      await onWebSocket(page.page)
    }
    await Promise.all(pages.map(seesAll))
    const ids = await Promise.all(pages.map((page) => page.userID()))

    const mustBeThere: string[] = []
    for (const round of ['first', 'second']) {
      const safe = lines(`${round} round, stored`, 1, 3)
      await ana.say('Boris', ...safe)
      await expect.poll(() => boris.conversation('Ana')).toEqual(expect.arrayContaining(spoken('Ana', safe)))
      // What is on its way at that moment may get lost, as this page does not ask for acks; but not come twice.
      await Promise.all([ana.say('Boris', ...lines(`${round} round, at risk`, 1, 3)), server.kill()])
      await ana.shows(['Ana (yourself) offline', 'Boris online', 'Clara online'])
      await ana.say('Boris', `${round} round, typed while away`)
      await server.start()
      await Promise.all(pages.map(seesAll))
      await expect.poll(() => boris.conversation('Ana')).toContain(`Ana: ${round} round, typed while away`)
      mustBeThere.push(...safe, `${round} round, typed while away`)
    }
    await boris.say('Ana', 'last word')
    await ana.say('Boris', 'last word')
    for (const page of [boris, secondTab]) await expect.poll(() => page.conversation('Ana')).toContain('Ana: last word')
    await expect.poll(() => ana.conversation('Boris')).toContain('Boris: last word')

    expect(await Promise.all(pages.map((page) => page.userID()))).toEqual(ids)
    const live = await boris.conversation('Ana')
    expect(live).toHaveLength(new Set(live).size)
    expect(live).toEqual(expect.arrayContaining(spoken('Ana', mustBeThere)))
    expect((await secondTab.conversation('Ana')).toSorted()).toEqual(live.toSorted())
    for (const page of pages) await page.reload()
    const stored = await boris.conversation('Ana')
    expect(stored.toSorted()).toEqual(live.toSorted())
    expect(stored.filter((line) => mustBeThere.includes(line.slice('Ana: '.length)))).toEqual(spoken('Ana', mustBeThere))
    expect(await secondTab.conversation('Ana')).toEqual(stored)
    const swapped = stored.map((line) => line.startsWith('You') ? line.replace('You', 'Boris') : line.replace('Ana', 'You'))
    expect(await ana.conversation('Boris')).toEqual(swapped)
    expect(JSON.stringify(await clara.heard())).not.toContain('round')
  })

  describe('with a short presence lease', () => {
    test.override('settings', async ({ site }) => ({
      TIDEMARK_GATEWAY_CORS_ORIGINS: site, TIDEMARK_GATEWAY_PRESENCE_LEASE: '3s',
    }))

    test('who does not come back is offline, and can still be written to', async ({ server, entered, open }) => {
      const [ana, boris] = await Promise.all([entered('Ana'), entered('Boris')])
      await ana.shows(['Ana (yourself) online', 'Boris online'])
      await server.kill()
      const context = boris.page.context()
      await boris.page.close()
      await server.start()
      await ana.shows(['Ana (yourself) online', 'Boris offline'])
      await ana.say('Boris', 'are you there?')
      const back = await open(await context.newPage())
      await back.shows(['Boris (yourself) online', 'Ana online'])
      await back.reads('Ana', ['Ana: are you there?'])
      await ana.shows(['Ana (yourself) online', 'Boris online'])
    })
  })
})
