/** Copies addresses, also where a browser lets no script do it: then a field shows what there is to copy. */

import { onBeforeUnmount, shallowRef, type ShallowRef } from 'vue'

const shownMs = 4_000

export interface Copying {
  /** To be announced; empty after a while. */
  readonly said: Readonly<ShallowRef<string>>
  /** What the user has to copy himself. */
  readonly byHand: ShallowRef<string | undefined>
  copy(address: string): Promise<void>
}

export function useCopying(): Copying {
  const said = shallowRef('')
  const byHand = shallowRef<string>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function say(words: string): void {
    clearTimeout(timer)
    said.value = words
    timer = setTimeout(() => (said.value = ''), shownMs)
  }

  async function copy(address: string): Promise<void> {
    said.value = ''
    try {
      // Missing in pages that came over plain HTTP, and it may refuse.
      await navigator.clipboard.writeText(address)
      byHand.value = undefined
      say('Link copied')
    } catch {
      byHand.value = address
    }
  }

  onBeforeUnmount(() => clearTimeout(timer))
  return { said, byHand, copy }
}
