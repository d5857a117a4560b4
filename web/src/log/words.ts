/** Words for people on the page of the log. `locale` is the browser's own unless given. */

import type { Checkpoint, Kind, LogState, Persister, Signed } from './parse'
import type { Connection } from './stream'

/** Formats are kept: to make one takes longer than to draw a row. */
function kept<Format>(make: (locale: string | undefined) => Format): (locale: string | undefined) => Format {
  const formats = new Map<string | undefined, Format>()
  return (locale) => {
    const format = formats.get(locale) ?? make(locale)
    formats.set(locale, format)
    return format
  }
}

const numbers = kept((locale) => new Intl.NumberFormat(locale))
const tenths = kept((locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }))
const times = kept((locale) => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }))

export function numberWords(value: number, locale?: string): string {
  return numbers(locale).format(value)
}

export function eventsWords(count: number, locale?: string): string {
  return `${numberWords(count, locale)} ${count === 1 ? 'event' : 'events'}`
}

export function offsetsWords(count: number, locale?: string): string {
  return `${numberWords(count, locale)} ${count === 1 ? 'offset' : 'offsets'}`
}

export function connectionWords({ phase, reason }: Connection): string {
  switch (phase) {
    case 'live':
      return 'Live'
    case 'connecting':
      return 'Connecting…'
    case 'offline':
      return reason === undefined ? 'Offline – trying again' : `Offline: ${reason}`
  }
}

export const kindWords: Record<Kind, string> = {
  message: 'message',
  registration: 'registration',
  unknown: 'unknown type',
  damaged: 'damaged',
  unread: 'not read',
}

/** How long ago something was, both in milliseconds. */
export function agoWords(now: number, then: number, locale?: string): string {
  const passed = Math.max(0, Math.round((now - then) / 1000))
  if (passed < 120) return `${numberWords(passed, locale)} s ago`
  if (passed < 2 * 3600) return `${numberWords(Math.round(passed / 60), locale)} min ago`
  if (passed < 48 * 3600) return `${numberWords(Math.round(passed / 3600), locale)} h ago`
  return `${numberWords(Math.round(passed / 86_400), locale)} days ago`
}

/** "signed 12 s ago, 340 events since" */
export function signedWords(checkpoint: Checkpoint, state: LogState, now: number, locale?: string): string {
  const ago = `signed ${agoWords(now, checkpoint.at, locale)}`
  if (checkpoint.epoch !== state.epoch) return `${ago}, of another log (epoch ${checkpoint.epoch})`
  const since = state.last - checkpoint.size
  if (since < 0) return `${ago}, of more events than the log has`
  return `${ago}, ${since === 0 ? 'nothing' : eventsWords(since, locale)} since`
}

/** Where the read model is, in relation to the head of the log. */
export function persisterWords(persister: Persister | undefined, state: LogState, locale?: string): string {
  if (persister === undefined) return 'not known yet'
  if (persister.error !== undefined) return persister.error
  if (persister.offset === 0) return state.last === 0 ? 'empty, as the log is' : 'nothing projected yet'
  if (persister.epoch !== state.epoch) return `at ${numberWords(persister.offset, locale)} of another log (epoch ${persister.epoch})`
  return `at ${numberWords(persister.offset, locale)}, ${behindWords(state.last - persister.offset, locale)}`
}

export function notaryWords(signed: Signed | undefined, state: LogState, locale?: string): string {
  if (signed === undefined) return 'not known yet'
  if (signed.is === 'none') return 'nothing is signed'
  if (signed.is === 'unreadable') return signed.error
  const { size, epoch } = signed.checkpoint
  if (epoch !== state.epoch) return `at ${numberWords(size, locale)} of another log (epoch ${epoch})`
  return `at ${numberWords(size, locale)}, ${behindWords(state.last - size, locale)}`
}

function behindWords(lag: number, locale: string | undefined): string {
  return lag <= 0 ? 'up to date' : `${offsetsWords(lag, locale)} behind`
}

/** "1.2 KiB" */
export function sizeWords(bytes: number, locale?: string): string {
  if (bytes < 1024) return `${bytes} B`
  return `${tenths(locale).format(bytes / 1024)} KiB`
}

export function timeWords(at: number, locale?: string): string {
  return Number.isNaN(at) ? '' : times(locale).format(at)
}

/** For a `datetime` and a title. */
export function isoWords(at: number): string {
  return Number.isNaN(at) ? '' : new Date(at).toISOString()
}
