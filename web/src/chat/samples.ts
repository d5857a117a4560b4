/** For tests: chance that can be repeated, and messages. */

import type { Message } from '../tidemark'

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number below `end`. */
export function below(end: number, random: () => number): number {
  return Math.floor(random() * end)
}

export function message(offset: number, more: Partial<Message> = {}): Message {
  return { conversation: { room: 'general' }, offset, content: `m${offset}`, ...more }
}

export function offsetsOf(messages: readonly Message[]): number[] {
  return messages.map(({ offset }) => offset)
}
