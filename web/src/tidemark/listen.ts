/** From the wire to the feed: what has not the shape of the contract is ignored. */

import type { Message } from './contract'
import type { Feed } from './feed'
import * as parse from './parse'
import type { Wire } from './wire'

/** `self`: the userID, once it is known. `caughtUp`: called when a replay has ended. */
export function listenToLog(wire: Wire, feed: Feed, self: () => string | undefined, caughtUp: () => void): void {
  const message = (parsed: Message | undefined) => {
    if (parsed !== undefined) feed.message(parsed)
  }
  wire.on('chat message', (...args) => message(parse.chatMessage(args)))
  wire.on('room message', (value) => message(parse.roomMessage(value)))
  wire.on('private message', (value) => {
    const userID = self()
    if (userID !== undefined) message(parse.privateMessage(value, userID))
  })
  wire.on('replay', (value) => {
    const replay = parse.replay(value)
    if (replay !== undefined) feed.replay(replay)
  })
  wire.on('recovery', (value) => {
    const recovery = parse.recovery(value)
    if (recovery === undefined) return
    feed.recovered(recovery)
    caughtUp()
  })
  wire.on('watermark', (value) => {
    const watermark = parse.watermark(value)
    if (watermark !== undefined) feed.watermark(watermark.offset)
  })
}
