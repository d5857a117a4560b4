/**
 * A Tidemark client without any user interface: messages of all of a user's conversations each once and in the log's
 * order, through lost connections, restarts of the gateway and reloads of the page; and messages of one's own sent once
 * and only once. See README.md.
 *
 *   const client = await open()
 *   client.on('message', ({ conversation, content, offset }) => ...)
 *   client.on('state', ({ phase }) => ...)
 *   client.connect()
 *   if (client.identity === undefined) client.signIn('Ana')
 *   client.send(general, 'hello')
 */

import type { Socket } from 'socket.io-client'

import { Client } from './client'
import { browserPage } from './page'
import { openStore } from './safe'
import { maxPayload, socketOf } from './socket'
import { browserTabs } from './tabs'
import { Token } from './token'
import type { Tidemark } from './tidemark'

export * from './contract'
export * from './tidemark'
export { Client, type ClientOptions } from './client'
export type { OutboxEntry } from './entry'

export interface OpenOptions {
  /** How long to wait for the ack of a message before it is sent again; 10 s by default. */
  ackTimeoutMs?: number
  /**
   * Where users come with tokens of an identity provider (the gateway's auth.*): asked before each attempt to connect. Whose
   * the token is, is who signs in: there is no signIn(), connect() is enough.
   */
  token?: () => string | Promise<string>
}

/** A client of the gateway at `url`, by default the one that served the page; call connect() once it is listened to. */
export async function open(url = '', { token: ask, ...options }: OpenOptions = {}): Promise<Tidemark> {
  const token = ask && new Token(ask)
  const tabs = browserTabs()
  const [store] = await Promise.all([openStore(), tabs.enter()])
  let socket: Socket | undefined
  const client = new Client({
    ...options,
    ...(token && { token }),
    wire: (auth) => (socket = socketOf(url, auth, token)),
    maxPacketBytes: () => maxPayload(socket),
    kept: await store.load(),
    store,
    tabs,
    page: browserPage(),
  })
  await client.begin()
  return client
}
