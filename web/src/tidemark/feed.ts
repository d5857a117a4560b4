/**
 * What the log brings, told once: the messages of all conversations, through replays and losses of the connection.
 *
 *   connected() ── message()* ── recovered() ── message() | watermark() ... ── disconnected() ── connected() ...
 *
 * `following` is told before the messages that it promises. So a connection that begins nowhere in particular ("from now
 * on") has its messages wait until `recovery` says where that was.
 *
 * One's own direct messages are not sent back over the connection that took them: their acks stand in for them, here
 * alone. They never move the cursor, and so a later replay may bring them again; `#ahead` knows them then.
 */

import type { Epoch, Message, Recovery, Replay } from './contract'
import { Cursor, type Place } from './cursor'
import type { Emit } from './emitter'
import { ProgressMeter } from './progress'
import type { ClientEvents } from './tidemark'

export interface FeedOptions {
  emit: Emit<ClientEvents>
  /** Every conversation that is not followed yet is followed from after this offset on; `anew`: those that are, too. */
  follow: (after: number, anew: boolean) => void
  /** The cursor has moved. */
  moved: (place: Place) => void
  /** A message came with a key of ours. */
  seen: (key: string, offset: number) => void
  /** Whether to tell of it: what still comes of a room that was left is not told. */
  wanted: (message: Message) => boolean
  /** A replay has ended, of this log; told before anything that is of it. `reset`: it is another one than before. */
  log: (epoch: Epoch | undefined, reset: boolean) => void
}

export class Feed {
  readonly #options: FeedOptions
  readonly #progress: ProgressMeter
  #cursor: Cursor
  /** Offsets of messages that an ack has brought, ascending, above the cursor as far as it matters. */
  readonly #ahead = new Set<number>()
  /** Between `connect` and `recovery`: what acks have brought. Undefined otherwise. */
  #acked: Message[] | undefined
  /** What waits until it is known where this connection began. */
  #waiting: Message[] | undefined

  constructor(kept: Place | undefined, options: FeedOptions) {
    this.#options = options
    this.#cursor = new Cursor(kept)
    this.#progress = new ProgressMeter((progress) => options.emit('progress', progress))
  }

  get place(): Place | undefined {
    return this.#cursor.place
  }

  /** Another user, or nobody: everything begins anew. */
  forget(): void {
    this.disconnected()
    this.#ahead.clear()
    this.#cursor = new Cursor()
  }

  connected(): void {
    const { place } = this
    this.#cursor.connected()
    this.#acked = []
    this.#waiting = place === undefined ? [] : undefined
    this.#progress.start(place?.offset ?? 0)
    if (place !== undefined) this.#options.follow(place.offset, false)
  }

  disconnected(): void {
    this.#acked = undefined
    this.#waiting = undefined
    this.#progress.stop()
  }

  replay(replay: Replay): void {
    this.#cursor.announced(replay.from)
    this.#progress.announce(replay)
  }

  message(message: Message): void {
    this.#progress.message(message.offset)
    if (message.clientOffset !== undefined) this.#options.seen(message.clientOffset, message.offset)
    if (!this.#cursor.message(message)) return
    this.#moved()
    if (this.#waiting !== undefined) this.#waiting.push(message)
    else this.#tell(message)
  }

  /** A direct message of ours is stored, and will not come by itself. */
  acked(message: Message): void {
    this.#acked?.push(message)
    if (this.#waiting !== undefined) return
    this.#ahead.add(message.offset)
    this.#options.emit('message', message)
  }

  recovered(recovery: Recovery): void {
    const { reset, messages } = this.#cursor.recovered(recovery)
    this.#options.log(this.place?.epoch, reset)
    const replayed = this.#waiting ?? messages
    const acked = (reset || this.#waiting !== undefined ? this.#acked : undefined) ?? []
    this.#acked = undefined
    this.#waiting = undefined
    if (reset) this.#startOver(recovery)
    else if (recovery.recovered) this.#options.follow(recovery.from, false)
    for (const message of inOrder(replayed, acked)) this.#tell(message)
    for (const { offset } of acked) this.#ahead.add(offset)
    if (!reset && !recovery.recovered) this.#goOnPastAHole(recovery)
    this.#moved()
    this.#progress.end(recovery)
  }

  watermark(offset: number): void {
    this.#cursor.watermark(offset)
    this.#moved()
  }

  #startOver(recovery: Recovery): void {
    this.#ahead.clear()
    this.#options.emit('discontinuity', { reset: true, reason: recovery.reason ?? 'unknown' })
    this.#options.follow(recovery.from, true)
  }

  /** Some of what was missed is not in the log any more; `history` may have it. So that is where to look up to here. */
  #goOnPastAHole(recovery: Recovery): void {
    this.#options.emit('discontinuity', { reset: false, reason: recovery.reason ?? 'unknown' })
    this.#options.follow(recovery.head, true)
  }

  #tell(message: Message): void {
    if (this.#ahead.delete(message.offset) || !this.#options.wanted(message)) return
    this.#options.emit('message', message)
  }

  #moved(): void {
    const { place } = this
    if (place === undefined) return
    for (const offset of this.#ahead) {
      if (offset >= place.offset) break
      this.#ahead.delete(offset)
    }
    this.#options.moved(place)
  }
}

/** Messages of a replay and of acks, each offset once. */
function inOrder(replayed: readonly Message[], acked: readonly Message[]): Message[] {
  const by = new Map([...acked, ...replayed].map((message) => [message.offset, message]))
  return [...by.values()].sort((a, b) => a.offset - b.offset)
}
