export * from './contract'
export * from './client'
export type { OutboxEntry } from './outbox'

import type { Tidemark } from './client'

/** A client of the gateway at `url`, by default the one that served the page. */
export async function open(_url = ''): Promise<Tidemark> {
  throw new Error('not yet')
}
