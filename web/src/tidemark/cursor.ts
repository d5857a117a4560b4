/**
 * How far this client has come in the log, and which messages are new to it.
 *
 *   connected() ── message()* ── recovered() ── message() | watermark() ... ── connected() ...
 *                  the replay    its end         live
 *
 * The offset only rises, with three things: messages received, watermarks, and the head that ends a replay. The ack of
 * one's own message is none of them: messages of others below it may still be on their way.
 *
 * The one way back is a log that is not the one the offset was counted in (`epoch_changed`, `ahead_of_log`). The
 * gateway then replays from the beginning and says so only afterwards. Until it has, an offset at or below ours may
 * either be a duplicate or a message of the new log, so what is unclear waits for the end of the replay.
 *
 * One cursor is good for all of a user's conversations. A page that is loaded again goes on from the place that was
 * kept; what lies before it is read from `history`.
 */

import type { Epoch, Message, Recovery } from './contract'

/** A place in a log. */
export interface Place {
  offset: number
  /** Which log; missing until the first replay has ended. */
  epoch?: Epoch
}

/** What to show once a replay has ended. */
export interface Replayed {
  /** The log is another one: what was shown before `messages` is no longer true. */
  reset: boolean
  messages: Message[]
}

export class Cursor {
  /** Undefined: this client has seen nothing of any log, and begins with what comes from now on. */
  #offset: number | undefined
  #epoch: Epoch | undefined
  /** Messages of the replay under way, kept while it may turn out to be that of another log; undefined when live. */
  #replay: Message[] | undefined
  /** False for who knows nothing of any log and so cannot know another one. Nothing is kept then. */
  #mayBeAnotherLog = false
  /** This replay has brought an offset at or below ours. */
  #unclear = false

  constructor(kept?: Place) {
    this.#offset = kept?.offset
    this.#epoch = kept?.epoch
  }

  /** Where to resume: everything up to it has come. */
  get place(): Place | undefined {
    if (this.#offset === undefined) return undefined
    return this.#epoch === undefined ? { offset: this.#offset } : { offset: this.#offset, epoch: this.#epoch }
  }

  /** A connection begins, and with it a replay. */
  connected(): void {
    this.#replay = []
    this.#unclear = false
    this.#mayBeAnotherLog = this.#offset !== undefined
  }

  /** The replay is a long one, and begins after `from`: where that is our place, the log is ours, and nothing has to be kept. */
  announced(from: number): void {
    if (this.#replay?.length === 0 && from === this.#offset) this.#mayBeAnotherLog = false
  }

  /** Whether the message is new and to be shown now. */
  message(message: Message): boolean {
    const isNew = message.offset > (this.#offset ?? 0)
    if (this.#replay !== undefined && this.#mayBeAnotherLog) {
      if (message.offset <= (this.#replay.at(-1)?.offset ?? 0)) return false // a replay ascends
      this.#replay.push(message)
      this.#unclear = this.#unclear || !isNew
      if (this.#unclear) return false
    }
    if (isNew) this.#offset = message.offset
    return isNew
  }

  recovered(recovery: Recovery): Replayed {
    const replay = this.#replay ?? []
    const waiting = this.#unclear ? replay.filter((message) => message.offset > (this.#offset ?? 0)) : []
    const reset = this.#mayBeAnotherLog && this.#isAnotherLog(recovery)
    const messages = reset ? replay : waiting
    if (reset) this.#offset = 0
    this.#epoch = recovery.epoch ?? this.#epoch
    this.#replay = undefined
    this.#unclear = false
    this.#raise(messages.at(-1)?.offset ?? 0)
    this.#raise(recovery.head)
    return { reset, messages }
  }

  #isAnotherLog(recovery: Recovery): boolean {
    if (recovery.reason === 'epoch_changed' || recovery.reason === 'ahead_of_log') return true
    return this.#epoch !== undefined && recovery.epoch !== undefined && recovery.epoch !== this.#epoch
  }

  /** A watermark inside a replay says nothing that the end of the replay will not say for certain. */
  watermark(offset: number): void {
    if (this.#replay === undefined) this.#raise(offset)
  }

  #raise(offset: number): void {
    this.#offset = Math.max(this.#offset ?? 0, offset)
  }
}
