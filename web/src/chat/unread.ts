/** What one has not read: see Unread. */

import { firstFrom } from './search'

/** More than this many are not told apart. */
const most = 100

/**
 * Which of others' messages of one conversation are unread. Offsets may come in any order, and again.
 *
 * Keeps only the newest hundred. That is enough for an exact count up to a hundred: whatever was let go of lies below all
 * that is kept, so reading to anywhere above it reads that too.
 */
export class Unread {
  static readonly most = most
  /** Ascending, each once. */
  #offsets: number[] = []
  #read = 0

  /** At most 100, which stands for "100 or more". */
  get count(): number {
    return this.#offsets.length
  }

  add(...offsets: number[]): void {
    for (const offset of offsets) this.#add(offset)
  }

  #add(offset: number): void {
    if (offset <= this.#read) return
    const index = this.#indexOf(offset)
    if (this.#offsets[index] === offset) return
    this.#offsets.splice(index, 0, offset)
    if (this.#offsets.length > most) this.#offsets.shift()
  }

  /** Up to and with this offset everything has been read. It never goes back. */
  readTo(offset: number): void {
    if (offset <= this.#read) return
    this.#read = offset
    this.#offsets.splice(0, this.#indexOf(offset + 1))
  }

  /** Begins anew, as in a log in which nothing has been read. */
  clear(): void {
    this.#offsets = []
    this.#read = 0
  }

  #indexOf(offset: number): number {
    return firstFrom(this.#offsets, offset, (one) => one)
  }
}
