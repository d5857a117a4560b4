/** The log, as the auditor reads it. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { inject } from 'vitest'

import { withoutTidemark, type Standalone } from '../standalone'

/** A message as `auditor replay --format json` writes it. */
export interface LoggedMessage {
  offset: number
  /** `room:<name>`, `dm:<hash of the two users>`. */
  conversation: string
  /** Empty: a message to a room. */
  to: string
  content: string
}

/** All messages, in the log's order. Fails if any is damaged or missing. */
export async function logged(server: Standalone): Promise<LoggedMessage[]> {
  const { stdout } = await promisify(execFile)(
    inject('auditor'),
    ['replay', '--format', 'json', '--type', 'message.posted', '--quiet'],
    { env: { ...withoutTidemark(process.env), TIDEMARK_NATS_URL: server.natsURL }, maxBuffer: 256 * 1024 * 1024 },
  )
  return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as LoggedMessage)
}

/** The contents of one room, in the log's order. */
export async function loggedIn(server: Standalone, room: string): Promise<string[]> {
  return (await logged(server)).filter(({ conversation }) => conversation === `room:${room}`).map(({ content }) => content)
}
