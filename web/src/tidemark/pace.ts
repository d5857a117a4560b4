/** How long to wait before something is tried again. In milliseconds. */

const backoff = { firstMs: 1_000, longestMs: 30_000 }

/** How long a rate limit is waited for when it does not say, and the shortest and longest wait that are believed. */
const rateLimit = { unknownMs: 1_000, shortestMs: 50, longestMs: 60_000 }

/** After `failures` earlier ones: 1 s, 2 s, 4 s ... 30 s, less up to a half, so that not all clients come at once. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const most = Math.min(backoff.longestMs, backoff.firstMs * 2 ** Math.min(failures, 10))
  return Math.round(most * (1 - random() / 2))
}

export function rateLimitMs(retryAfterMs: number = rateLimit.unknownMs): number {
  return Math.min(Math.max(retryAfterMs, rateLimit.shortestMs), rateLimit.longestMs)
}
