/** Which rows of the table are new enough to be tinted for a moment. */

import type { Offset } from './parse'

/** So many at once are a burst: nobody follows single ones, and to tint them all takes time. */
const burst = 20

/**
 * Rows above the answer are tinted. It stays where it was while events come one by one, so that a row which is being tinted
 * goes on; behind a burst, and where another log begins, it is the newest that is shown.
 */
export function floorOf(floor: Offset, before: Offset, newest: Offset): Offset {
  return newest < before || newest - before > burst ? newest : floor
}
