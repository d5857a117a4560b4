/** Events per second, by the log's time. */

/** How many seconds are kept. */
export const seconds = 120

export class Rates {
  private readonly counts = new Map<number, number>()

  /** `at`: milliseconds since 1970; what has no time is not counted. */
  add(at: number, count: number): void {
    if (Number.isNaN(at)) return
    const second = Math.floor(at / 1000)
    this.counts.set(second, (this.counts.get(second) ?? 0) + count)
    if (this.counts.size > 2 * seconds) this.forget(second)
  }

  /** The counts of the seconds up to a time, the oldest first. */
  until(time: number): number[] {
    const last = Math.floor(time / 1000)
    return Array.from({ length: seconds }, (_, i) => this.counts.get(last - seconds + 1 + i) ?? 0)
  }

  private forget(now: number): void {
    for (const second of this.counts.keys()) {
      if (second <= now - seconds) this.counts.delete(second)
    }
    // A clock that was set back leaves a future behind.
    if (this.counts.size > 2 * seconds) this.counts.clear()
  }
}
