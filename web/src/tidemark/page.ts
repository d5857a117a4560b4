/** What the library wants to know of the page it is on. */
export interface Page {
  /** The machine has a network again. */
  onOnline(listener: () => void): void
  /** The page is hidden or left, perhaps for good: what is to be kept must be written now. */
  onHide(listener: () => void): void
  close(): void
}

export function browserPage(): Page {
  const closing = new AbortController()
  const { signal } = closing
  return {
    onOnline: (listener) => window.addEventListener('online', listener, { signal }),
    onHide: (listener) => {
      window.addEventListener('pagehide', listener, { signal })
      document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'hidden') listener()
      }, { signal })
    },
    close: () => closing.abort(),
  }
}
