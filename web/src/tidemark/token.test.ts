import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { general } from './contract'
import { openPage, settle } from './fakepage'
import { MemoryStore } from './memory'
import { Token } from './token'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a token', () => {
  test('is asked for at each handshake, and once more when it has expired', async () => {
    let calls = 0
    const token = new Token(() => `t${++calls}`)
    expect([await token.next(), await token.next()]).toEqual(['t1', 't2'])
    expect(token.anew('invalid token')).toBe(false)
    expect(token.anew('token expired')).toBe(true)
    expect(token.anew('token expired')).toBe(false) // though the next one is another one: a clock is wrong
    token.accepted()
    expect(token.anew('token expired')).toBe(true)
  })

  test('that cannot be had is an attempt that fails', async () => {
    const token = new Token(() => Promise.reject(new Error('signed out')))
    await expect(token.next()).rejects.toThrow('signed out')
  })
})

describe('with tokens', () => {
  async function openTokened(store = new MemoryStore()) {
    const page = await openPage({ store, token: new Token(() => 'good') })
    page.client.connect()
    return page
  }

  test('who this is, the gateway says, and it is kept without a secret', async () => {
    const { client, wire, store, take } = await openTokened()
    expect(wire.handshake()).toEqual({ rooms: ['general'] })
    wire.accept(true)
    wire.receive('session', { sessionID: '', userID: 'u1', username: 'Ana' })
    wire.recover(5)
    await settle()
    expect(client.identity).toEqual({ userID: 'u1', username: 'Ana' })
    expect(take()).toContain('Ana is u1')
    expect((await store.load()).session).toMatchObject({ userID: 'u1', username: 'Ana' })
  })

  test('a reloaded page resumes where it was, and shows no session', async () => {
    const store = new MemoryStore()
    const first = await openTokened(store)
    first.wire.accept()
    first.wire.receive('session', { sessionID: '', userID: 'u1', username: 'Ana' })
    first.wire.recover(5)
    first.wire.messages(6)
    await settle()
    first.client.close()
    const again = await openTokened(store)
    expect(again.wire.handshake()).toMatchObject({ serverOffset: 6, epoch: 'e1' })
    expect(again.wire.handshake()).not.toHaveProperty('sessionID')
  })

  test('an expired one is tried again, another refusal is not', async () => {
    const { client, wire } = await openTokened()
    wire.turnAway('token expired')
    expect(client.state).toEqual({ phase: 'connecting', retrying: true })
    wire.turnAway('token expired')
    expect(client.state).toEqual({ phase: 'offline', retrying: false, reason: 'token expired' })
    client.retryNow()
    wire.accept()
    wire.receive('session', { sessionID: '', userID: 'u1', username: 'Ana' })
    wire.lose()
    wire.turnAway('token expired')
    expect(client.state).toEqual({ phase: 'connecting', retrying: true })
    wire.turnAway('invalid token')
    expect(client.state).toEqual({ phase: 'offline', retrying: false, reason: 'invalid token' })
  })

  test('of one user after the other, nothing of any is left to the next', async () => {
    const { client, wire, take } = await openTokened()
    const users = ['Ana', 'Boris', 'Cid']
    for (const username of users) {
      const greet = () => wire.receive('session', { sessionID: '', userID: username, username })
      wire.accept()
      greet()
      await settle()
      if (!wire.connected) {
        expect(wire.handshake()).toEqual({ rooms: ['general'] })
        wire.accept(true)
        greet()
      }
      wire.recover(5)
      void client.join(`room of ${username}`)
      await settle()
      expect(take().filter((line) => line === 'nobody' || line.includes(' is '))).toEqual([
        ...(username === 'Ana' ? [] : ['nobody']), `${username} is ${username}`,
      ])
      client.retryNow()
      wire.lose()
      client.retryNow()
      expect(wire.active).toBe(true)
    }
  })

  test('of another user, what was pending is nobody else’s', async () => {
    const { client, wire } = await openTokened()
    wire.accept()
    wire.receive('session', { sessionID: '', userID: 'u1', username: 'Ana' })
    wire.recover(5)
    await settle()
    void client.join('tea')
    const entry = client.send(general, 'of Ana')
    await settle()
    wire.lose()
    wire.accept()
    wire.receive('session', { sessionID: '', userID: 'u2', username: 'Boris' })
    expect(wire.connected).toBe(false) // the handshake named Ana's rooms
    await settle()
    expect(wire.handshake()).toEqual({ rooms: ['general'] })
    wire.accept(true)
    wire.receive('session', { sessionID: '', userID: 'u2', username: 'Boris' })
    wire.recover(5)
    await settle()
    expect(client.identity).toEqual({ userID: 'u2', username: 'Boris' })
    expect(client.outbox.find(({ key }) => key === entry.key)?.state).toBe('refused')
    expect(wire.sent('chat message').map(({ args }) => args[0])).toEqual(['of Ana']) // by Ana, before
  })

  test('who has signed out stays out until he connects', async () => {
    const { client, wire } = await openTokened()
    wire.accept()
    wire.receive('session', { sessionID: '', userID: 'u1', username: 'Ana' })
    wire.recover(5)
    await client.signOut()
    client.retryNow()
    expect(wire.active).toBe(false)
    client.connect()
    expect(wire.active).toBe(true)
    expect(() => client.signIn('Eve')).toThrow('token')
  })
})
