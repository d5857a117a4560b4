/** How long a page waits for the browser. */

/** For one thing, before the page goes on without. */
export const patienceMs = 5_000

/** The work, or a rejection after so long. What comes of it later is of no interest any more, not even a failure. */
export async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the browser took longer than ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
