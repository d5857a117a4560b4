/** One line of the list. */

import type { ChatMessage, OutboxEntry, Refusal } from '../tidemark'

export type Mark = 'pending' | 'sent' | 'refused'

/** A message of the log; one's own is marked as sent. */
export function messageRow({ content, offset, at }: ChatMessage, own: boolean): HTMLLIElement {
  const row = rowOf(content, own ? 'sent' : undefined, own ? 'Sent' : '')
  row.dataset.offset = String(offset)
  const time = timeOf(at)
  if (time !== undefined) row.prepend(time)
  return row
}

/** A message of one's own that the log has not shown yet. */
export function waitingRow(entry: OutboxEntry): HTMLLIElement {
  const row = rowOf(entry.content, entry.state, wordsForEntry(entry))
  row.dataset.entry = String(entry.id)
  return row
}

function rowOf(content: string, mark: Mark | undefined, words: string): HTMLLIElement {
  const row = document.createElement('li')
  const text = span('text', content)
  text.dir = 'auto'
  row.append(text)
  if (mark !== undefined) {
    row.dataset.mark = mark
    row.append(span('mark', words))
  }
  return row
}

function span(className: string, text: string): HTMLSpanElement {
  const element = document.createElement('span')
  element.className = className
  element.textContent = text
  return element
}

function timeOf(at: string | undefined): HTMLTimeElement | undefined {
  const date = new Date(at ?? NaN)
  if (Number.isNaN(date.getTime())) return undefined
  const time = document.createElement('time')
  time.dateTime = date.toISOString()
  time.title = date.toLocaleString()
  time.textContent = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  return time
}

function wordsForEntry({ state, refusal }: OutboxEntry): string {
  switch (state) {
    case 'pending':
      return refusal === undefined ? 'Sending…' : 'Waiting: too fast'
    case 'sent':
      return 'Sent'
    case 'refused':
      return `Not sent: ${wordsForRefusal(refusal)}`
  }
}

function wordsForRefusal(refusal: Refusal | undefined): string {
  switch (refusal?.code) {
    case 'too_large':
      return 'too long'
    case 'forbidden':
      return 'not allowed'
    default:
      return refusal?.message || refusal?.code || 'refused'
  }
}
