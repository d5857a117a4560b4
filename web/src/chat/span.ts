/** A part of one conversation without a gap: see Span. */

import type { Message, Page } from '../tidemark'

/** Everything that the conversation has with `floor < offset <= ceiling`, each message once, in ascending offset. */
export class Span {
  /** A new array whenever anything changes. */
  messages: readonly Message[] = []
  floor: number
  /** Infinity: up to the present, whose messages are inserted as they come. */
  ceiling: number
  /** Whether there may be anything at or below `floor`, or above `ceiling`. */
  older: boolean
  newer: boolean

  constructor(floor: number, ceiling = Infinity) {
    this.floor = floor
    this.ceiling = ceiling
    this.older = floor > 0
    this.newer = ceiling !== Infinity
  }

  /** False: it is there already, or outside of the span. */
  insert(_message: Message): boolean {
    throw new Error('not yet')
  }

  /** Adds what lies before: the answer to `before: floor + 1`. */
  prepend(_page: Page): void {
    throw new Error('not yet')
  }

  /** Adds what lies after: the answer to `after: ceiling`. */
  append(_page: Page): void {
    throw new Error('not yet')
  }

  /** Lets go of the oldest, so that at most `most` remain. */
  trim(_most: number): void {
    throw new Error('not yet')
  }

  /** Takes in all of a span that this one reaches up to, and whatever lies above; false, and nothing, if there is a gap. */
  join(_later: Span): boolean {
    throw new Error('not yet')
  }
}
