/** A message as the gateway takes it: which event, and with which arguments. */

import { general, keyOf, type Ack } from './contract'
import type { OutboxEntry } from './entry'
import type { Transmit } from './outbox'
import * as parse from './parse'
import type { Wire } from './wire'

/**
 * Content above the gateway's limit is refused by the gateway. A packet so long that the connection is closed for it
 * would be sent again after each reconnect, and hold up what follows for ever: it is refused here.
 */
const tooLarge: Ack = { ok: false, error: { code: 'too_large', message: 'longer than a packet may be' } }

/** Room for what Socket.IO puts before the arguments: packet types, and the number of the ack. */
const packetHeadBytes = 24

/** `maxPacketBytes`: the longest packet that the gateway takes; undefined where that is not known. */
export function transmitter(wire: Wire, maxPacketBytes: () => number | undefined): Transmit {
  return (entry, answer) => {
    const packet = packetOf(entry)
    if (bytesOf(packet) > (maxPacketBytes() ?? Infinity)) return answer(tooLarge)
    wire.emit(...packet, (reply: unknown) => answer(parse.ack(reply)))
  }
}

function packetOf({ conversation, content, key }: OutboxEntry): [string, ...unknown[]] {
  if ('user' in conversation) return ['private message', { content, to: conversation.user, clientOffset: key }]
  if (keyOf(conversation) === keyOf(general)) return ['chat message', content, key]
  return ['room message', { room: conversation.room, content, clientOffset: key }]
}

function bytesOf(packet: unknown[]): number {
  return packetHeadBytes + new TextEncoder().encode(JSON.stringify(packet)).length
}
