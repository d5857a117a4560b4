/** Something to be done before the next frame is painted. A hidden tab has none: it is done once, when the tab is back. */

import { onBeforeUnmount } from 'vue'

export function useNextFrame(run: () => void): () => void {
  let frame: number | undefined
  onBeforeUnmount(() => {
    if (frame !== undefined) cancelAnimationFrame(frame)
  })
  return () => {
    frame ??= requestAnimationFrame(() => {
      frame = undefined
      run()
    })
  }
}
