/** Which people are listed: there may be thousands, and nobody reads that far. */

import { matches } from '../chat/lines'
import type { Line } from '../chat/types'
import type { ConversationKey } from '../tidemark'

/** So many rows are quick to make anew whenever somebody comes or goes. */
export const mostShown = 200

export interface Listed {
  lines: readonly Line[]
  /** How many match the filter, listed or not. */
  found: number
}

/**
 * The first people whose name holds what the filter asks for, whatever its case and accents; and the one whose
 * conversation is open, wherever he stands, as long as nothing is asked for.
 */
export function listPeople(people: readonly Line[], filter: string, open: ConversationKey | undefined): Listed {
  const all = filter.trim() === ''
  const matching = all ? people : people.filter((line) => matches(line, filter))
  const lines = matching.slice(0, mostShown)
  const opened = all ? people.find((line) => line.key === open) : undefined
  if (opened !== undefined && !lines.includes(opened)) lines.push(opened)
  return { lines, found: matching.length }
}
