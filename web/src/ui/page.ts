/**
 * The page: puts what the client tells into the document, and what the user types into the client.
 *
 * Text from the log and from the gateway only ever becomes textContent. Changes are gathered for a moment and drawn
 * together, so that a replay of thousands of messages lays the page out a few times and not thousands.
 */

import type { Client, ConnectionState, Discontinuity, OutboxEntry } from '../tidemark'
import { messageRow, waitingRow } from './row'
import { Timeline } from './timeline'

/** How long changes are gathered: one frame. A timer and not an animation frame, which a hidden tab does not get. */
const frameMs = 16
/** Whoever is this close to the end of the list is kept there when messages come. */
const nearEndPx = 80

export function show(client: Client, document: Document): void {
  const page = new Page(document)
  const timeline = new Timeline()
  const draw = gathered(() => page.draw(timeline))

  client.on('state', (state) => page.state(state))
  client.on('discontinuity', (what) => {
    if (what.reset) {
      timeline.reset()
      page.clear()
    }
    page.notice(wordsForDiscontinuity(what))
    draw()
  })
  client.on('message', (message) => {
    timeline.add(message)
    draw()
  })
  client.on('outbox', (entry) => {
    timeline.update(entry)
    draw()
  })
  page.onSend((content) => client.send(content))
  page.onReconnect(() => client.connect())
}

function gathered(draw: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined
      draw()
    }, frameMs)
  }
}

class Page {
  readonly #state: HTMLElement
  readonly #reconnect: HTMLElement
  readonly #notice: HTMLElement
  readonly #scroll: HTMLElement
  readonly #omitted: HTMLElement
  readonly #log: HTMLElement
  readonly #messages: HTMLElement
  readonly #outbox: HTMLElement
  readonly #composer: HTMLFormElement
  readonly #content: HTMLInputElement
  /** Rows drawn, by offset. */
  readonly #rows = new Map<number, { element: HTMLElement; own: boolean }>()
  /** Rows drawn of what is on its way, by the entry's id. */
  readonly #waiting = new Map<number, HTMLElement>()

  constructor(document: Document) {
    const find = <E extends HTMLElement>(id: string) => document.getElementById(id) as E
    this.#state = find('state')
    this.#reconnect = find('reconnect')
    this.#notice = find('notice')
    this.#scroll = find('scroll')
    this.#omitted = find('omitted')
    this.#log = find('log')
    this.#messages = find('messages')
    this.#outbox = find('outbox')
    this.#composer = find<HTMLFormElement>('composer')
    this.#content = find<HTMLInputElement>('content')
  }

  onSend(send: (content: string) => void): void {
    this.#composer.addEventListener('submit', (submit) => {
      submit.preventDefault()
      const content = this.#content.value
      if (content.trim() === '') return
      send(content)
      this.#content.value = ''
      this.#toEnd()
    })
  }

  onReconnect(reconnect: () => void): void {
    this.#reconnect.addEventListener('click', reconnect)
  }

  state(state: ConnectionState): void {
    this.#state.dataset.phase = state.phase
    this.#state.querySelector('.text')!.textContent = wordsForState(state)
    this.#reconnect.hidden = state.retrying
    // A screen reader is not read a whole replay.
    this.#log.setAttribute('aria-busy', String(state.phase === 'catching up'))
  }

  notice(words: string): void {
    this.#notice.textContent = words
    this.#notice.hidden = false
  }

  /** Forgets the rows drawn: those of another log may have the same offsets. */
  clear(): void {
    this.#rows.clear()
    this.#messages.replaceChildren()
  }

  draw(timeline: Timeline): void {
    const atEnd = this.#isAtEnd()
    this.#removeOlderThan(timeline.messages[0]?.offset ?? Infinity)
    this.#drawMessages(timeline)
    this.#drawWaiting(timeline.waiting)
    this.#omitted.hidden = timeline.omitted === 0
    this.#omitted.textContent = `${timeline.omitted} older messages are not shown.`
    if (atEnd) this.#toEnd()
  }

  #drawMessages(timeline: Timeline): void {
    const fresh: HTMLElement[] = []
    for (const message of timeline.messages) {
      const own = timeline.isOwn(message)
      const drawn = this.#rows.get(message.offset)
      if (drawn?.own === own) continue
      const element = messageRow(message, own)
      this.#rows.set(message.offset, { element, own })
      if (drawn === undefined) fresh.push(element)
      else drawn.element.replaceWith(element)
    }
    this.#messages.append(...fresh)
  }

  /** Leaves rows alone that have not changed: to a screen reader a replaced one is a new one. */
  #drawWaiting(entries: OutboxEntry[]): void {
    const ids = new Set(entries.map(({ id }) => id))
    for (const [id, element] of this.#waiting) {
      if (ids.has(id)) continue
      element.remove()
      this.#waiting.delete(id)
    }
    for (const entry of entries) {
      const element = waitingRow(entry)
      const drawn = this.#waiting.get(entry.id)
      if (drawn?.isEqualNode(element)) continue
      this.#waiting.set(entry.id, element)
      if (drawn === undefined) this.#outbox.append(element)
      else drawn.replaceWith(element)
    }
  }

  #removeOlderThan(offset: number): void {
    for (const [drawn, { element }] of this.#rows) {
      if (drawn >= offset) return // rows were drawn in the order of their offsets
      element.remove()
      this.#rows.delete(drawn)
    }
  }

  #isAtEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll
    return scrollHeight - scrollTop - clientHeight < nearEndPx
  }

  #toEnd(): void {
    this.#scroll.scrollTop = this.#scroll.scrollHeight
  }
}

function wordsForState({ phase, retrying, reason }: ConnectionState): string {
  switch (phase) {
    case 'connecting':
      return 'Connecting…'
    case 'catching up':
      return 'Catching up…'
    case 'live':
      return 'Live'
    case 'offline':
      if (retrying) return 'Offline – trying again'
      return reason === undefined ? 'Offline' : `Offline: ${reason}`
  }
}

function wordsForDiscontinuity({ reset, reason }: Discontinuity): string {
  if (reset) return 'The chat has begun anew; what was shown before is no longer part of it.'
  if (reason === 'trimmed') return 'Some older messages are no longer kept, and are missing here.'
  return 'Some messages could not be recovered, and are missing here.'
}
