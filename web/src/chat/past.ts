/** A part of a conversation's past that somebody looks at: around a message, or as it was at an offset. */

import type { Conversation, Page, PageRequest, Tidemark } from '../tidemark'
import { Span } from './span'

/** How many messages are asked for at once. */
export const pageSize = 50

export interface Past {
  mode: 'around' | 'as of'
  span: Span
  /** The offset it is shown as of. */
  asOf: number | undefined
}

type Ask = (conversation: Conversation, request: PageRequest) => Promise<Page>

/** Some messages up to one, that one, and some after it. */
export async function around(ask: Ask, conversation: Conversation, offset: number): Promise<Past> {
  const [before, after] = await Promise.all([
    ask(conversation, { before: offset + 1, limit: pageSize }),
    ask(conversation, { after: offset, limit: pageSize }),
  ])
  const span = new Span(offset, offset)
  span.prepend(before, offset + 1)
  span.append(after, offset)
  return { mode: 'around', span, asOf: undefined }
}

/** The newest messages there were when `offset` was the newest. */
export async function asOfOffset(ask: Ask, conversation: Conversation, offset: number): Promise<Past> {
  return pastOf(offset, await ask(conversation, { before: offset + 1, limit: pageSize }))
}

/** The newest messages there were at a time. */
export async function asOfTime(ask: Ask, conversation: Conversation, at: string): Promise<Past> {
  const page = await ask(conversation, { at, limit: pageSize })
  return pastOf(page.messages.at(-1)?.offset ?? 0, page)
}

function pastOf(offset: number, page: Page): Past {
  const span = new Span(offset, offset)
  span.prepend(page, offset + 1)
  span.newer = false // there was nothing later then
  return { mode: 'as of', span, asOf: offset }
}

export async function loadOlder(client: Tidemark, conversation: Conversation, span: Span, limit = pageSize): Promise<void> {
  const before = span.floor + 1
  span.prepend(await client.history(conversation, { before, limit }), before)
}

export async function loadNewer(client: Tidemark, conversation: Conversation, span: Span): Promise<void> {
  const after = span.ceiling
  span.append(await client.history(conversation, { after, limit: pageSize }), after)
}
