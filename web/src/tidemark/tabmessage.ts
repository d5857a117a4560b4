/** What tabs tell each other. Another tab may run an older or newer version: what it says is parsed like the wire. */

import type { ConversationKey, Epoch } from './contract'
import { isEpoch, isName, isOffset, isRecord } from './parse'
import { isConversationKey, keptSession, type KeptSession } from './store'

export type TabMessage =
  /** A tab is there. `answer`: it is new and wants to know who else is. */
  | { type: 'hello'; tab: string; answer: boolean }
  | { type: 'read'; key: ConversationKey; offset: number; epoch: Epoch }
  | { type: 'joined'; room: string }
  | { type: 'left'; room: string }
  | { type: 'signed in'; session: KeptSession }
  | { type: 'signed out'; userID: string }

export function parseTabMessage(value: unknown): TabMessage | undefined {
  if (!isRecord(value)) return undefined
  const { type, tab, answer, key, offset, epoch, room, userID } = value
  switch (type) {
    case 'hello':
      return isName(tab) ? { type, tab, answer: answer === true } : undefined
    case 'read':
      return isConversationKey(key) && isOffset(offset) && isEpoch(epoch) ? { type, key, offset, epoch } : undefined
    case 'joined':
    case 'left':
      return isName(room) ? { type, room } : undefined
    case 'signed in': {
      const session = keptSession(value.session)
      return session && { type, session }
    }
    case 'signed out':
      return isName(userID) ? { type, userID } : undefined
    default:
      return undefined
  }
}
