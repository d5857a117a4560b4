/** The order of the list of conversations, and finding people in it. */

import type { Line } from './types'

type Order = (a: Line, b: Line) => number

const names = new Intl.Collator(undefined, { numeric: true })

/** For sort(): general, then the room where something was said last, then by name. */
export function roomOrder(a: Line, b: Line): number {
  return inTurn(a, b, [generalFirst, newestFirst, byTitle])
}

/**
 * For sort(): those one has talked to, the last first; then those who are there; then by name. Oneself is the last of all,
 * unless one has talked to oneself.
 */
export function peopleOrder(a: Line, b: Line): number {
  return inTurn(a, b, [newestFirst, selfLast, onlineFirst, byTitle])
}

/** Whether the title contains the filter, whatever the case and the accents. */
export function matches(line: Line, filter: string): boolean {
  return fold(line.title).includes(fold(filter.trim()))
}

/** The upper case, because lower case depends on neighbours (σ, ς). */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{Mn}/gu, '').toUpperCase()
}

function inTurn(a: Line, b: Line, orders: readonly Order[]): number {
  for (const order of orders) {
    const difference = order(a, b)
    if (difference !== 0) return difference
  }
  return a.key < b.key ? -1 : Number(a.key > b.key)
}

function generalFirst(a: Line, b: Line): number {
  return Number(b.key === 'room/general') - Number(a.key === 'room/general')
}

function newestFirst(a: Line, b: Line): number {
  return b.newest - a.newest
}

function selfLast(a: Line, b: Line): number {
  return Number(a.self) - Number(b.self)
}

function onlineFirst(a: Line, b: Line): number {
  return Number(b.person?.connected ?? false) - Number(a.person?.connected ?? false)
}

function byTitle(a: Line, b: Line): number {
  return names.compare(a.title, b.title)
}
