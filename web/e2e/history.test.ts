/** What users find when they come: people, history, and what they missed. With the official client in Node.js. */

import { describe, expect } from 'vitest'

import { expectAscending, lines } from './chatpage'
import { Client, say, test, type Json } from './client'

const room = 'garden'

/** All of a conversation, page by page, oldest first. */
async function wholeHistory(reader: Client, of: Json, limit: number): Promise<Json[]> {
  const pages: Json[][] = []
  for (let more = true, before = {}; more;) {
    const answer = await reader.ask('history', { ...of, ...before, limit })
    expect(answer).toEqual({ ok: true, messages: expect.any(Array), more: expect.any(Boolean) })
    pages.unshift(answer.messages)
    more = answer.more
    expect(answer.messages.length).toSatisfy((length: number) => (more ? length === limit : length <= limit))
    before = { before: answer.messages[0]?.offset }
  }
  return pages.flat()
}

test('history comes in pages that add up to the conversation, also after a kill -9', async ({ server, client }) => {
  const [ana, boris] = [await client({ username: 'Ana', rooms: [room] }), await client({ username: 'Boris', rooms: [room] })]
  const inRoom = lines('in the garden', 1, 25)
  await say(ana, { room }, ...inRoom)
  await say(boris, { to: ana.userID }, 'to Ana')
  await say(ana, { to: boris.userID }, 'to Boris')
  await expect.poll(() => boris.contents).toEqual([...inRoom, 'to Boris'])
  const live = boris.messages.filter((message) => message.room === room)
  const clara = await client({ username: 'Clara' })
  await clara.ask('room join', { room })
  for (const again of [false, true]) {
    if (again) {
      await server.kill()
      await server.start()
    }
    const reader = again ? await client({ username: 'Dora', rooms: [room] }) : clara
    for (const limit of [10, 7, 100]) expect(await wholeHistory(reader, { room }, limit)).toEqual(live)
    const ofBoris = await client({ sessionID: boris.sessionID })
    const direct = await wholeHistory(ofBoris, { with: ana.userID }, 1)
    expect(direct.map(({ content, from, to }) => [content, from, to]))
      .toEqual([['to Ana', boris.userID, ana.userID], ['to Boris', ana.userID, boris.userID]])
    expect(await wholeHistory(reader, { with: ana.userID }, 10)).toEqual([])
  }
})

test('who comes back with one offset gets what was missed in rooms and direct messages, in order', async ({ server, client }) => {
  const rooms = [room, 'cellar']
  const [ana, boris] = [await client({ username: 'Ana', rooms: [...rooms, 'attic'] }), await client({ username: 'Boris', rooms })]
  await say(ana, { room }, 'heard')
  await say(ana, { to: boris.userID }, 'heard too')
  await expect.poll(() => boris.contents).toEqual(['heard', 'heard too'])
  const serverOffset = boris.messages.at(-1)!.offset
  const otherTab = await client({ sessionID: boris.sessionID, rooms })
  boris.socket.disconnect()

  const missed: string[] = []
  for (const round of [1, 2]) {
    const texts = ['in the garden', 'in private', 'in the cellar', 'own in the garden', 'own in private']
      .map((text) => `${text} ${round}`)
    await say(ana, { room }, texts[0]!)
    await say(ana, { to: boris.userID }, texts[1]!)
    await say(ana, { room: 'attic' }, 'not for Boris')
    await say(ana, { room: 'cellar' }, texts[2]!)
    await say(otherTab, { room }, texts[3]!)
    await say(otherTab, { to: ana.userID }, texts[4]!)
    missed.push(...texts)
    if (round === 1) {
      await server.kill()
      await server.start()
      await expect.poll(() => [ana, otherTab].map((client) => client.all('recovery').length)).toEqual([2, 2])
    }
  }

  const back = await client({ sessionID: boris.sessionID, rooms, serverOffset, epoch: boris.last('recovery')!.epoch })
  expect(back.contents).toEqual(missed)
  expectAscending(back.messages.map(({ offset }) => offset))
  expect(back.last('recovery')).toMatchObject({ recovered: true, from: serverOffset, count: missed.length })
  expect(back.userID).toBe(boris.userID)
  await say(ana, { room }, 'live again')
  await expect.poll(() => back.contents).toEqual([...missed, 'live again'])
  const withoutCellar = await client({ sessionID: boris.sessionID, rooms: [room], serverOffset })
  expect(withoutCellar.messages).toEqual(back.messages.filter((message) => message.room !== 'cellar'))
})

describe('a user\'s connection', () => {
  test('begins with the session, then the people, oneself included', async ({ client }) => {
    const ana = await client({ username: 'Ana' })
    expect(ana.heard.map(([name]) => name).filter((name) => name !== 'user connected')).toEqual(['session', 'users', 'recovery'])
    expect(ana.last('users')).toEqual([{ userID: ana.userID, username: 'Ana', connected: true, messages: [] }])
    const boris = await client({ username: 'Boris' })
    await expect.poll(() => ana.all('user connected').filter(({ username }) => username === 'Boris'))
      .toEqual([{ userID: boris.userID, username: 'Boris', connected: true, messages: [] }])
    const offset = (await say(ana, { to: boris.userID }, 'hello'))[0]
    boris.socket.disconnect()
    await expect.poll(() => ana.all('user disconnected')).toEqual([boris.userID])

    const back = await client({ sessionID: boris.sessionID, username: 'Somebody else' })
    const message = expect.objectContaining({ content: 'hello', from: ana.userID, to: boris.userID, offset })
    expect(back.last('users')).toEqual(expect.arrayContaining([
      { userID: boris.userID, username: 'Boris', connected: true, messages: [] },
      { userID: ana.userID, username: 'Ana', connected: true, messages: [message] },
    ]))
    expect(back.contents).toEqual([])
    expect(JSON.stringify(ana.heard)).not.toContain(boris.sessionID)
  })

  test('is refused for a bad name or an unknown session', async ({ server }) => {
    const names = ['', 7, 'x'.repeat(65)].map((username) => ({ username }))
    const sessions = ['unknown', '', 5].map((sessionID) => ({ sessionID }))
    for (const auth of [...names, ...sessions]) {
      const { socket } = new Client(server.url, { auth })
      const error = await new Promise<Error>((resolve) => socket.once('connect_error', resolve))
      expect(error.message, JSON.stringify(auth)).toBe('invalid username')
      expect(socket.active).toBe(false)
    }
  })
})
