/** The address of a conversation, or of a message in it, as the fragment of the page's URL. */

import type { Conversation } from '../tidemark'

export interface Address {
  conversation: Conversation
  offset?: number
}

/** Of rooms and users, in characters. */
const longestName = 128

/** `#/room/general`, `#/user/<userID>`, with `@<offset>` if one is given. Any name will do. */
export function addressOf(conversation: Conversation, offset?: number): string {
  const place = 'room' in conversation ? `room/${encode(conversation.room)}` : `user/${encode(conversation.user)}`
  return offset === undefined ? `#/${place}` : `#/${place}@${offset}`
}

/** Undefined for whatever addressOf does not make. */
export function parseAddress(hash: string): Address | undefined {
  const parts = /^#\/(room|user)\/([^/@]+)(?:@([1-9]\d{0,15}))?$/.exec(hash)
  const name = decode(parts?.[2] ?? '')
  if (parts === null || name === undefined) return undefined
  const conversation = parts[1] === 'room' ? { room: name } : { user: name }
  if (parts[3] === undefined) return { conversation }
  const offset = Number(parts[3])
  return Number.isSafeInteger(offset) ? { conversation, offset } : undefined
}

/**
 * Half a surrogate pair is no text, and cannot be encoded: it becomes U+FFFD, as it does at the gateway. Quotes and
 * brackets are encoded as well: in the middle of a sentence an address would seem to end there.
 */
function encode(name: string): string {
  const text = name.replace(/\p{Surrogate}/gu, '\uFFFD')
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function decode(encoded: string): string | undefined {
  try {
    const name = decodeURIComponent(encoded)
    const characters = [...name].length
    return characters >= 1 && characters <= longestName ? name : undefined
  } catch {
    return undefined
  }
}
