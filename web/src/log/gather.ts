/**
 * Draws when there is something new: with the next frame, and then not again for a while, which is the longer the longer
 * drawing takes. What comes meanwhile is drawn together, so that a burst neither flickers nor freezes the page. A page that
 * nobody sees draws nothing.
 */

const least = 250
/** Drawing takes at most one part in so many of the time. */
const share = 5

export class Gather {
  private frame: number | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private stale = false
  private stopped = false

  /** `draw` resolves when the page has been changed. */
  constructor(private readonly draw: () => Promise<void>) {}

  /** There is something new. */
  note(): void {
    this.stale = true
    if (this.stopped) return
    if (this.frame === undefined && this.timer === undefined) this.frame = requestAnimationFrame(() => void this.run())
  }

  stop(): void {
    this.stopped = true
    if (this.frame !== undefined) cancelAnimationFrame(this.frame)
    clearTimeout(this.timer)
  }

  private async run(): Promise<void> {
    this.stale = false
    const began = performance.now()
    await this.draw()
    this.timer = setTimeout(() => this.again(), pauseAfter(performance.now() - began))
    this.frame = undefined
  }

  private again(): void {
    this.timer = undefined
    if (this.stale) this.note()
  }
}

/** How long to leave the page alone after drawing has taken so long, both in milliseconds. */
export function pauseAfter(took: number): number {
  return Math.max(least, (share - 1) * took)
}
