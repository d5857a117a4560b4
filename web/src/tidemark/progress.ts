/** How far a replay has come, told ten times a second at most, and once when it is over. */

import type { Recovery, Replay } from './contract'
import type { Progress } from './tidemark'

const everyMs = 100

export class ProgressMeter {
  readonly #tell: (progress: Progress) => void
  #progress: Progress | undefined
  #toldAt = -Infinity

  constructor(tell: (progress: Progress) => void) {
    this.#tell = tell
  }

  /** A replay begins after `from`, as far as is known. */
  start(from: number): void {
    this.#progress = { from, offset: from, count: 0 }
  }

  /** The gateway says how long it will be. */
  announce({ from, head }: Replay): void {
    if (this.#progress === undefined) return
    this.#progress = { from, head, offset: from, count: this.#progress.count }
    this.#tellNow()
  }

  message(offset: number): void {
    if (this.#progress === undefined) return
    this.#progress = { ...this.#progress, offset, count: this.#progress.count + 1 }
    if (now() - this.#toldAt >= everyMs) this.#tellNow()
  }

  end({ from, head }: Recovery): void {
    if (this.#progress === undefined) return
    this.#progress = { from, head, offset: head, count: this.#progress.count }
    this.#tellNow()
    this.#progress = undefined
  }

  /** The connection is gone, and the replay with it. */
  stop(): void {
    this.#progress = undefined
  }

  #tellNow(): void {
    if (this.#progress === undefined) return
    this.#toldAt = now()
    this.#tell(this.#progress)
  }
}

function now(): number {
  return performance.now()
}
