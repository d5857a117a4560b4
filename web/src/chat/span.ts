/** A part of one conversation without a gap: see Span. */

import type { Message, Page } from '../tidemark'
import { firstFrom } from './search'

/** Everything that the conversation has with `floor < offset <= ceiling`, each message once, in ascending offset. */
export class Span {
  /** A new array whenever anything changes. */
  messages: readonly Message[] = []
  floor: number
  /** Infinity: up to the present, whose messages are inserted as they come. */
  ceiling: number
  /**
   * Whether there may be anything at or below `floor`, or above `ceiling`. False as well once a page has said that there
   * is more and brought nothing: asking again would go on for ever.
   */
  older: boolean
  newer: boolean

  constructor(floor: number, ceiling = Infinity) {
    this.floor = floor
    this.ceiling = ceiling
    this.older = floor > 0
    this.newer = ceiling !== Infinity
  }

  has(offset: number): boolean {
    return this.messages[firstFrom(this.messages, offset, offsetOf)]?.offset === offset
  }

  /**
   * Inserts those that are inside of the span, in whatever order, and copies the array once; returns those that are new, in
   * ascending offset. One that is there takes over what the other knows, or knows better (an ack knows no exact time).
   */
  insertAll(messages: readonly Message[]): Message[] {
    const inside = messages.filter(({ offset }) => offset > this.floor && offset <= this.ceiling)
    const { merged, fresh } = merge(this.messages, inside)
    this.messages = merged
    return fresh
  }

  /** Adds what lies before: a page that was asked for with `before`. Nothing of one that does not reach up to the floor. */
  prepend({ messages, more }: Page, before: number): void {
    const first = messages[0]
    if (before <= this.floor) return // the span has been trimmed since
    if (!more) {
      this.floor = 0
      this.older = false
    } else if (first === undefined) {
      this.older = false
    } else if (first.offset - 1 < this.floor) {
      this.floor = first.offset - 1
      this.older = this.floor > 0
    }
    this.insertAll(messages)
  }

  /** Adds what lies after: a page that was asked for with `after`. With the last page, the span goes up to the present. */
  append({ messages, more }: Page, after: number): void {
    const last = messages.at(-1)
    if (after > this.ceiling) return
    if (!more) {
      this.ceiling = Infinity
      this.newer = false
    } else if (last === undefined) {
      this.newer = false
    } else if (last.offset > this.ceiling) {
      this.ceiling = last.offset
      this.newer = true
    }
    this.insertAll(messages)
  }

  /** Lets go of the oldest, so that at most `most` remain. */
  trim(most: number): void {
    const surplus = this.messages.length - most
    const newestGone = this.messages[surplus - 1]
    if (newestGone === undefined) return
    this.messages = this.messages.slice(surplus)
    this.floor = newestGone.offset
    this.older = true
  }

  /**
   * Lets go of the present: answers with the newest, so many, as a span that goes on. This one ends as far again below,
   * so that the two are one only when somebody has read on.
   */
  detach(most: number): Span {
    const rest = new Span(this.messages.at(-most - 1)?.offset ?? this.floor, this.ceiling)
    rest.messages = this.messages.slice(-most)
    this.messages = this.messages.slice(0, -2 * most)
    this.ceiling = this.messages.at(-1)?.offset ?? this.floor
    this.newer = true
    return rest
  }

  /**
   * Takes in all of a span that this one reaches up to, and whatever lies above; false, and nothing, if there is a gap.
   * What the other has below this one's floor comes along.
   */
  join(later: Span): boolean {
    if (later.floor > this.ceiling || this.floor > later.ceiling) return false
    if (later.floor < this.floor) {
      this.floor = later.floor
      this.older = later.older
    }
    if (later.ceiling > this.ceiling) {
      this.ceiling = later.ceiling
      this.newer = later.newer
    }
    this.insertAll(later.messages)
    return true
  }
}

interface Merged {
  merged: readonly Message[]
  fresh: Message[]
}

/** `known` is sorted and stays as it is; it is `merged` itself if nothing of it has changed. */
function merge(known: readonly Message[], added: readonly Message[]): Merged {
  const sorted = [...added].sort((a, b) => a.offset - b.offset)
  const first = sorted[0]
  if (first === undefined) return { merged: known, fresh: [] }
  let next = firstFrom(known, first.offset, offsetOf)
  const merged = known.slice(0, next)
  const fresh: Message[] = []
  let changed = false
  for (const message of sorted) {
    for (let one = known[next]; one !== undefined && one.offset <= message.offset; one = known[++next]) merged.push(one)
    const last = merged.at(-1)
    if (last === undefined || last.offset < message.offset) {
      merged.push(message)
      fresh.push(message)
    } else {
      const fuller = fullerOf(last, message)
      if (fuller === last) continue
      merged[merged.length - 1] = fuller
      if (fresh.at(-1) === last) fresh[fresh.length - 1] = fuller
    }
    changed = true
  }
  if (!changed) return { merged: known, fresh }
  for (; next < known.length; next++) merged.push(known[next] as Message)
  return { merged, fresh }
}

const optional = ['id', 'at', 'from', 'username', 'clientOffset'] as const

/** Of two tellings of the same message: the first if the second adds nothing, else one in which the second counts. */
function fullerOf(known: Message, other: Message): Message {
  const addsNothing = optional.every((field) => other[field] === undefined || other[field] === known[field])
  return addsNothing ? known : { ...known, ...other }
}

function offsetOf(message: Message): number {
  return message.offset
}
