/** What the page knows of the log: bounded, whatever comes. */

import type { LogEvent, LogState, Persister, Signed } from './parse'
import { Rates } from './rates'

/** How many events are kept. */
export const most = 200

/** What is shown of the log at one moment. */
export interface Snapshot {
  state: LogState | undefined
  /** Newest first, at most `most`. */
  events: readonly LogEvent[]
  /** So many came in all, and so many of those that were there were not sent. */
  seen: number
  skipped: number
  persister: Persister | undefined
  signed: Signed | undefined
  /** Events of each second, the oldest first; the last one is the second of `time`, which is not over. */
  rates: readonly number[]
  /** The log's time, milliseconds. */
  time: number
}

export class LogModel {
  private events: LogEvent[] = []
  private rates = new Rates()
  private state: LogState | undefined
  private persister: Persister | undefined
  private signed: Signed | undefined
  private seen = 0
  private missed = 0
  /** Skipped ones whose time is that of the event behind them, about. */
  private skippedNow = 0
  /** Whether an event has come since the stream began. */
  private flowing = false

  begin(state: LogState, fresh: boolean): void {
    if (fresh) {
      this.events = []
      this.rates = new Rates()
      this.seen = this.missed = 0
      this.persister = this.signed = undefined
    }
    this.flowing = false
    this.skippedNow = 0
    this.state = state
  }

  head(state: LogState): void {
    this.state = state
  }

  event(event: LogEvent): void {
    this.flowing = true
    this.seen++
    this.events.push(event)
    if (this.events.length > 2 * most) this.events = this.events.slice(-most) // seldom, and not at each event
    this.rates.add(event.at, 1 + this.skippedNow)
    this.skippedNow = 0
  }

  /** Events are left out: those that a slow page was too late for, or, where a stream begins, what came while it was away. */
  skip(count: number): void {
    this.missed += count
    if (this.flowing) this.skippedNow += count
  }

  readModel(persister: Persister): void {
    this.persister = persister
  }

  notary(signed: Signed): void {
    this.signed = signed
  }

  snapshot(): Snapshot {
    const newest = this.events.at(-1)
    const time = Math.max(this.state?.time ?? 0, newest === undefined || Number.isNaN(newest.at) ? 0 : newest.at)
    return {
      state: this.state && upTo(this.state, newest?.offset ?? 0),
      events: this.events.slice(-most).reverse(),
      seen: this.seen,
      skipped: this.missed,
      persister: this.persister,
      signed: this.signed,
      rates: this.rates.until(time),
      time,
    }
  }
}

/** The head is what was seen last, which may be newer than what was said about it. */
function upTo(state: LogState, offset: number): LogState {
  return { ...state, last: Math.max(state.last, offset), position: Math.max(state.position, offset) }
}
