/** A chat for tests, over a fake client: what one does, and what there is to see. */

import { vi } from 'vitest'

import { general, type Message } from '../tidemark'
import { LiveChat } from './chat'
import { FakeTidemark } from './faketidemark'

export const me = { userID: 'me', username: 'Mia' }
export const ana = { userID: 'ana', username: 'Ana', connected: true }

export function message(offset: number, more: Partial<Message> = {}): Message {
  const at = new Date(Date.UTC(2026, 0, 1) + offset * 1000).toISOString()
  return { conversation: general, offset, content: `m${offset}`, from: 'ana', username: 'Ana', at, ...more }
}

export const messages = (from: number, to: number, more: Partial<Message> = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) => message(from + index, more))

export function start(hash = '', { log = [] as Message[], readAt = undefined as number | undefined } = {}) {
  const client = new FakeTidemark(me)
  client.log.push(...log)
  if (readAt !== undefined) client.read(general, readAt)
  let shown = hash
  const chat = new LiveChat(client, { hash: () => shown, show: (address) => (shown = address) })
  chat.openAddress(hash)
  return { client, chat, address: () => shown }
}

/** What has come is shown, and what was asked for has come. */
export const drawn = () => vi.advanceTimersByTimeAsync(50)

export function view(chat: LiveChat) {
  const { view } = chat.state
  if (view === undefined) throw new Error('nothing is open')
  return view
}

export const offsets = (chat: LiveChat) => view(chat).messages.map(({ offset }) => offset)

/** Connected and live, following everything after an offset. */
export async function live(client: FakeTidemark, after: number): Promise<void> {
  client.emit('following', { conversation: general, after })
  client.emit('following', { conversation: undefined, after })
  client.enter('live')
  await drawn()
}

export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
