/**
 * Runs something while the page is visible. What a browser holds back is not much: six connections to one site over HTTP/1.1,
 * so that as many tabs which nobody looks at, each with a stream, would leave none for the chat.
 */

/** The part of a document that is used. */
export type Page = Pick<Document, 'addEventListener' | 'removeEventListener' | 'visibilityState'>

/** Starts at once if the page is visible, and each time it becomes visible; the answer ends it for good. */
export function whileVisible(page: Page, start: () => void, stop: () => void): () => void {
  let running = false
  const run = (on: boolean): void => {
    if (on === running) return
    running = on
    if (on) start()
    else stop()
  }
  const look = (): void => run(page.visibilityState === 'visible')
  page.addEventListener('visibilitychange', look)
  look()
  return () => {
    page.removeEventListener('visibilitychange', look)
    run(false)
  }
}
