/** The chat, for components below the one that provides it. */

import { inject } from 'vue'

import { chatKey, type Chat } from '../chat/types'

export function useChat(): Chat {
  const chat = inject(chatKey)
  if (chat === undefined) throw new Error('no chat is provided')
  return chat
}
