/** Words for people: what states, refusals, numbers and times are called. `locale` is the browser's own unless given. */

import type { ConnectionState, Discontinuity, OutboxEntry, Progress, Refusal } from '../tidemark'

/** What #state says: with figures while a long replay runs. */
export function stateWords({ phase, retrying, reason }: ConnectionState, progress?: Progress, locale?: string): string {
  switch (phase) {
    case 'connecting':
      return 'Connecting…'
    case 'catching up':
      return `Catching up…${progressWords(progress, locale)}`
    case 'live':
      return 'Live'
    case 'offline':
      if (retrying) return 'Offline – trying again'
      return reason === undefined || reason === '' ? 'Offline' : `Offline: ${reason}`
  }
}

function progressWords(progress: Progress | undefined, locale: string | undefined): string {
  const share = shareOf(progress)
  if (progress === undefined || share === undefined) return ''
  return ` ${counted(progress.count, 'message', locale)}, ${numberLabel(Math.floor(share * 100), locale)} %`
}

/** How much of a replay is done, from 0 to 1; undefined as long as nobody knows where it ends. */
export function shareOf(progress: Progress | undefined): number | undefined {
  if (progress?.head === undefined) return undefined
  const { from, head, offset } = progress
  return head <= from ? 1 : Math.min(Math.max((offset - from) / (head - from), 0), 1)
}

/** What is the matter with a message of one's own that the conversation does not show yet. */
export function waitingWords({ state, waitsFor, refusal }: OutboxEntry): string {
  if (state === 'stored') return 'Sent'
  if (state === 'refused') return `Not sent: ${refusalWords(refusal)}`
  switch (waitsFor) {
    case 'connection':
      return 'Waiting for the connection'
    case 'retry':
      return 'Trying again'
    case 'rate limit':
      return 'Waiting: too fast'
    default:
      return 'Sending…'
  }
}

/** Goes on after "Not sent: ". */
export function refusalWords(refusal: Refusal | undefined): string {
  switch (refusal?.code) {
    case 'too_large':
      return 'too long'
    case 'forbidden':
      return 'not allowed'
    case 'rate_limited':
      return 'too fast'
    case 'unknown_recipient':
      return 'there is no such person'
    case 'key_conflict':
      return 'something else was sent in its place'
    default:
      return refusal?.message || refusal?.code || 'refused'
  }
}

/** Empty if nobody types. */
export function typingWords(names: readonly string[]): string {
  const [first, second, third] = names
  if (first === undefined) return ''
  if (second === undefined) return `${first} is typing…`
  return third === undefined ? `${first} and ${second} are typing…` : 'Several people are typing…'
}

export function discontinuityWords({ reset, reason }: Discontinuity): string {
  if (reset) return 'The chat has begun anew; what was shown before is no longer part of it.'
  if (reason === 'trimmed') return 'Some older messages are no longer kept, and are missing here.'
  return 'Some messages could not be recovered, and are missing here.'
}

/** Why something that was asked of the gateway, a page of history for instance, could not be had: a sentence. */
export function failureWords(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  switch (code) {
    case 'offline':
      return 'There is no connection right now.'
    case 'timeout':
      return 'The gateway has not answered in time.'
    case 'rate_limited':
      return 'That was too fast; try again in a moment.'
    case 'forbidden':
      return 'This is not allowed.'
    default:
      return typeof message === 'string' && message !== '' ? message : 'That did not work.'
  }
}

/** What a conversation is shown as of: "As of offset 1,234, 21 Nov 2026, 14:30". */
export function asOfWords(offset: number, at: Date | undefined, locale?: string): string {
  const words = `As of offset ${numberLabel(offset, locale)}`
  return at === undefined || isNoDate(at) ? words : `${words}, ${momentLabel(at, locale)}`
}

export function numberLabel(number: number, locale?: string): string {
  return formatsOf(locale).number.format(number)
}

/** "Today", "Yesterday", or the date in full. */
export function dayLabel(date: Date, today: Date, locale?: string): string {
  if (isNoDate(date)) return ''
  const daysAgo = dayNumber(today) - dayNumber(date)
  if (daysAgo === 0) return 'Today'
  return daysAgo === 1 ? 'Yesterday' : formatsOf(locale).day.format(date)
}

/** The time of day. Empty, like the other labels of times, for what is no date. */
export function timeLabel(date: Date, locale?: string): string {
  return isNoDate(date) ? '' : formatsOf(locale).time.format(date)
}

/** Day and time. */
export function momentLabel(date: Date, locale?: string): string {
  return isNoDate(date) ? '' : formatsOf(locale).moment.format(date)
}

/** Counts the days of the local calendar; those of daylight saving changes are shorter or longer than others. */
function dayNumber(date: Date): number {
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000)
}

function isNoDate(date: Date): boolean {
  return Number.isNaN(date.getTime())
}

function counted(count: number, noun: string, locale: string | undefined): string {
  return `${numberLabel(count, locale)} ${noun}${count === 1 ? '' : 's'}`
}

type Formats = ReturnType<typeof makeFormats>

/** Making one takes longer than formatting thousands. */
const formats = new Map<string | undefined, Formats>()

function formatsOf(locale: string | undefined): Formats {
  const known = formats.get(locale) ?? makeFormats(locale)
  formats.set(locale, known)
  return known
}

function makeFormats(locale: string | undefined) {
  return {
    number: new Intl.NumberFormat(locale),
    day: new Intl.DateTimeFormat(locale, { dateStyle: 'full' }),
    time: new Intl.DateTimeFormat(locale, { timeStyle: 'short' }),
    moment: new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }),
  }
}

/** Why a room cannot be left now. */
export function unsentWords(unsent: number, locale?: string): string {
  const messages = unsent === 1 ? '1 message to this room is' : `${numberLabel(unsent, locale)} messages to this room are`
  return `${messages} not sent. Wait for it, or discard what was refused, before you leave.`
}

/** What has become of somebody whose session has ended. */
export function endedWords(username: string, unsent: number, locale?: string): string {
  const words = `This gateway no longer knows you as ${username}. Choose a name to go on.`
  if (unsent === 0) return words
  return `${words} ${unsent === 1 ? '1 message was not sent, and is' : `${numberLabel(unsent, locale)} messages were not sent, and are`} kept here.`
}
