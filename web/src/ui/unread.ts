/** How many messages one has not read: the figures of badges, and the window's title. */

import type { Line } from '../chat/types'
import { plainName } from './names'

/** Of all conversations; those with more than 99 count as 100. */
export function sumUnread(...lists: readonly (readonly Line[])[]): number {
  return lists.flat().reduce((sum, line) => sum + line.unread, 0)
}

/** One's own messages, of all conversations, about which one has to decide. */
export function sumRefused(...lists: readonly (readonly Line[])[]): number {
  return lists.flat().reduce((sum, line) => sum + line.refused, 0)
}

export function unreadFigure(count: number): string {
  return count > 99 ? '99+' : String(count)
}

export function windowTitle(unread: number, open: string | undefined): string {
  const count = unread > 0 ? `(${unreadFigure(unread)}) ` : ''
  return open === undefined ? 'Tidemark' : `${count}${plainName(open)} – Tidemark`
}
