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
 * The cursor lives exactly as long as the messages it counts. This page keeps them in memory, so the cursor is in
 * memory as well: after a reload both begin anew at 0 and the history is shown again. A cursor kept any longer (in
 * sessionStorage, say) would resume after messages that nobody has any more.
 */

import type { ChatMessage, Epoch, Recovery, Resume } from './contract'

/** What to show once a replay has ended. */
export interface Replayed {
  /** The log is another one: what was shown before `messages` is no longer true. */
  reset: boolean
  messages: ChatMessage[]
}

export class Cursor {
  #offset = 0
  #epoch: Epoch | undefined
  /** Messages of the replay under way, kept while it may turn out to be that of another log; undefined when live. */
  #replay: ChatMessage[] | undefined
  /** False on the first connection: who knows nothing of any log cannot know another one. Nothing is kept then. */
  #mayBeAnotherLog = false
  /** This replay has brought an offset at or below ours. */
  #unclear = false

  get offset(): number {
    return this.#offset
  }

  /** What to say at the next handshake. */
  resume(): Resume {
    const resume: Resume = { serverOffset: this.#offset }
    if (this.#epoch !== undefined) resume.epoch = this.#epoch
    return resume
  }

  /** A connection begins, and with it a replay. */
  connected(): void {
    this.#replay = []
    this.#unclear = false
    this.#mayBeAnotherLog = this.#offset > 0 || this.#epoch !== undefined
  }

  /** Whether the message is new and to be shown now. */
  message(message: ChatMessage): boolean {
    const isNew = message.offset > this.#offset
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
    const waiting = this.#unclear ? replay.filter((message) => message.offset > this.#offset) : []
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
    this.#offset = Math.max(this.#offset, offset)
  }
}
