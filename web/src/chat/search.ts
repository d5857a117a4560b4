/** Search in what is sorted by offset. */

/** The first index whose offset is at or above `offset`; the length if there is none. */
export function firstFrom<T>(sorted: readonly T[], offset: number, offsetOf: (item: T) => number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (offsetOf(sorted[middle] as T) < offset) low = middle + 1
    else high = middle
  }
  return low
}
