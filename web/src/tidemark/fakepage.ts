/** Pages for tests: a client with a wire, a store and tabs that the test has in its hands. */

import { vi } from 'vitest'

import { Client, type ClientOptions } from './client'
import { keyOf, type Message } from './contract'
import { FakeBrowser, FakePage } from './faketabs'
import { FakeWire } from './fakewire'
import { MemoryStore } from './memory'
import type { Store } from './store'

/** A page of a browser: a client, and all it has told. */
export async function openPage({ store = new MemoryStore() as Store, browser = new FakeBrowser(), ...more }: Partial<ClientOptions> & { browser?: FakeBrowser } = {}) {
  let wire: FakeWire | undefined
  const tabs = browser.open()
  const page = new FakePage()
  const client = new Client({
    wire: (auth) => (wire = new FakeWire(auth)), kept: await store.load(), store, tabs, page, ackTimeoutMs: 1_000, ...more,
  })
  if (wire === undefined) throw new Error('no wire')
  const told: string[] = []
  const messages: Message[] = []
  client.on('state', ({ phase, reason }) => told.push(reason === undefined ? phase : `${phase}: ${reason}`))
  client.on('message', (message) => messages.push(message))
  client.on('identity', (identity) => told.push(identity === undefined ? 'nobody' : `${identity.username} is ${identity.userID}`))
  client.on('following', ({ conversation, after }) => told.push(`${conversation ? keyOf(conversation) : 'directs'} after ${after}`))
  client.on('left', (conversation) => told.push(`left ${keyOf(conversation)}`))
  client.on('discontinuity', ({ reason, reset }) => {
    told.push(`discontinuity: ${reason}`)
    if (reset) messages.length = 0
  })
  client.on('read', ({ conversation, offset }) => told.push(`read ${keyOf(conversation)} to ${offset}`))
  client.on('discarded', ({ content }) => told.push(`discarded ${content}`))
  await client.begin()
  const take = () => told.splice(0)
  const offsets = () => messages.map(({ offset }) => offset)
  return { client, wire, store, browser, tabs, page, take, messages, offsets }
}

/** A page of a new user, live at `head`. */
export async function openLive(options: Parameters<typeof openPage>[0] & { head?: number } = {}) {
  const opened = await openPage(options)
  opened.client.signIn('Ana')
  opened.wire.accept()
  opened.wire.greet()
  opened.wire.recover(options.head ?? 0, { from: options.head ?? 0 })
  await settle()
  opened.take()
  return opened
}

/** Lets everything happen that needs no time. */
export const settle = () => vi.advanceTimersByTimeAsync(0)

/** A page of a known user, with a cursor, live. */
export async function openKnown(options: Parameters<typeof openPage>[0] = {}) {
  const store = options.store ?? new MemoryStore()
  await store.signIn({ sessionID: 'secret of me', userID: 'me', username: 'Ana', since: 1 })
  await store.place({ offset: 10, epoch: 'e1' })
  const opened = await openPage({ ...options, store })
  opened.client.connect()
  return opened
}
