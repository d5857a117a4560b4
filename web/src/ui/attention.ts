/** Whether somebody can be looking at this page: it is in sight, and what is typed goes to it. */

import { onBeforeUnmount, onMounted, shallowRef, type ShallowRef } from 'vue'

export function useAttention(): Readonly<ShallowRef<boolean>> {
  const attentive = shallowRef(isAttentive())
  const look = (): void => {
    attentive.value = isAttentive()
  }
  onMounted(() => {
    document.addEventListener('visibilitychange', look)
    window.addEventListener('focus', look)
    window.addEventListener('blur', look)
  })
  onBeforeUnmount(() => {
    document.removeEventListener('visibilitychange', look)
    window.removeEventListener('focus', look)
    window.removeEventListener('blur', look)
  })
  return attentive
}

function isAttentive(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}
