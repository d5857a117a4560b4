/** Keys that mean the same wherever the focus is. */

import { onBeforeUnmount, onMounted } from 'vue'

import type { Chat, Line } from '../chat/types'

/** Opens the conversation `steps` further down the list, which has neither beginning nor end. */
export function openNeighbour(chat: Chat, steps: number): void {
  const line = neighbour([...chat.state.rooms, ...chat.state.people], chat.state.view?.key, steps)
  if (line !== undefined) location.hash = chat.address(line.conversation)
}

export function neighbour(lines: readonly Line[], key: string | undefined, steps: number): Line | undefined {
  const here = lines.findIndex((line) => line.key === key)
  if (here === -1) return lines.at(steps > 0 ? 0 : -1)
  return lines[(here + steps + lines.length) % lines.length]
}

/** Whether a key writes something, other than a space, which scrolls and presses buttons. */
export function writes(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false
  return event.key !== ' ' && [...event.key].length === 1
}

/** Whether keys mean something of their own here. */
export function takesKeys(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, dialog') !== null
}

/** Keys that an input method takes mean nothing else. 229: Safari ends a composition before the key that ended it. */
export function composes({ isComposing, keyCode }: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean {
  return isComposing || keyCode === 229
}

export function useKeys(press: (event: KeyboardEvent) => void): void {
  const listen = (event: KeyboardEvent): void => {
    if (!composes(event)) press(event)
  }
  onMounted(() => window.addEventListener('keydown', listen))
  onBeforeUnmount(() => window.removeEventListener('keydown', listen))
}
