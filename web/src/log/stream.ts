/**
 * The stream of the log: an EventSource that comes back, where the browser's own does and where it gives up, and goes on
 * behind the last event it had.
 */

import * as parse from './parse'
import type { LogEvent, LogState, Offset, Persister, Signed } from './parse'

export type Phase = 'connecting' | 'live' | 'offline'

export interface Connection {
  phase: Phase
  /** Why it is offline, if the gateway says so. */
  reason?: string
}

/** What is told of the stream; all of it from the browser's event loop. */
export interface Listener {
  connection(state: Connection): void
  /** A stream begins; `fresh`: it does not go on where the one before ended. */
  begin(state: LogState, fresh: boolean): void
  head(state: LogState): void
  event(event: LogEvent): void
  skipped(count: number): void
  persister(persister: Persister): void
  signed(signed: Signed): void
}

/** The part of an EventSource that is used. */
export type Source = Pick<EventSource, 'addEventListener' | 'close' | 'readyState'>

export interface Options {
  /** Makes a source for an address; by default the browser's. */
  open?: (url: string) => Source
  /** Asks for an address, to learn why the source was refused. */
  ask?: (url: string, signal: AbortSignal) => Promise<Response>
  /** Between 0 and 1. */
  random?: () => number
}

const address = '/log/feed'
const closed = 2 // EventSource.CLOSED
const shortest = 1_000
const longest = 15_000
/** Whoever says nothing for so long is gone: `head` comes each second. */
const silence = 20_000
/** A reason is a sentence; a proxy's error page is none. */
const longestReason = 200

export class LogStream {
  private source: Source | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private watchdog: ReturnType<typeof setTimeout> | undefined
  private last: Offset | undefined
  private epoch: string | undefined
  private failures = 0

  constructor(private readonly listener: Listener, private readonly options: Options = {}) {}

  open(): void {
    this.close()
    const url = this.last === undefined ? address : `${address}?after=${this.last}`
    const source = (this.options.open ?? ((to: string) => new EventSource(to)))(url)
    this.source = source
    this.heard()
    this.listener.connection({ phase: this.failures === 0 ? 'connecting' : 'offline' })
    source.addEventListener('error', () => this.failed(source))
    this.on(source, 'state', parse.logState, (state) => this.begin(state))
    this.on(source, 'head', parse.logState, (state) => this.listener.head(state))
    this.on(source, 'event', parse.logEvent, (event) => this.event(event))
    this.on(source, 'skipped', parse.skipped, (count) => this.listener.skipped(count))
    this.on(source, 'persister', parse.persister, (persister) => this.listener.persister(persister))
    this.on(source, 'checkpoint', parse.signed, (signed) => this.listener.signed(signed))
  }

  close(): void {
    clearTimeout(this.timer)
    clearTimeout(this.watchdog)
    this.source?.close()
    this.source = undefined
  }

  private on<T>(source: Source, name: string, read: (text: string) => T | undefined, tell: (value: T) => void): void {
    source.addEventListener(name, (message) => {
      if (source !== this.source || !('data' in message)) return
      this.heard()
      const value = read(String(message.data))
      if (value !== undefined) tell(value)
    })
  }

  private begin(state: LogState): void {
    if (this.epoch !== undefined && state.epoch !== this.epoch && this.last !== undefined) {
      this.last = undefined // an offset of another log
      this.open()
      return
    }
    const fresh = this.last === undefined || state.epoch !== this.epoch
    this.failures = 0
    this.epoch = state.epoch
    this.listener.connection({ phase: 'live' })
    this.listener.begin(state, fresh)
  }

  private event(event: LogEvent): void {
    if (this.last !== undefined && event.offset <= this.last) return // from a gateway that is behind the one before
    this.last = event.offset
    this.listener.event(event)
  }

  private failed(source: Source): void {
    if (source !== this.source) return
    this.failures++
    this.listener.connection({ phase: this.failures === 1 ? 'connecting' : 'offline' })
    this.heard()
    if (source.readyState !== closed) return // the browser tries again
    clearTimeout(this.watchdog)
    this.timer = setTimeout(() => this.open(), this.pause())
    void this.explain(source)
  }

  /** A connection may be gone without a word, as one is over which a machine has slept. */
  private heard(): void {
    clearTimeout(this.watchdog)
    this.watchdog = setTimeout(() => {
      this.failures++
      this.open()
    }, silence)
  }

  private pause(): number {
    const most = Math.min(shortest * 2 ** (this.failures - 1), longest)
    return most * (0.5 + (this.options.random ?? Math.random)() / 2)
  }

  /** A source does not say why it was refused; the same request does. */
  private async explain(source: Source): Promise<void> {
    const ask = this.options.ask ?? ((url: string, signal: AbortSignal) => fetch(url, { signal, cache: 'no-store' }))
    const abort = new AbortController()
    let reason = ''
    try {
      const response = await ask(address, abort.signal)
      if (response.status === 404) reason = 'this gateway does not show its log'
      else if (!response.ok) reason = (await response.text()).trim()
    } catch {
      return // it is away
    } finally {
      abort.abort()
    }
    if (source === this.source && reason !== '' && reason.length <= longestReason) {
      this.listener.connection({ phase: 'offline', reason })
    }
  }
}
