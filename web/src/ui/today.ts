/** The day it is: days are called "Today" and "Yesterday" by it, also in a page that is open over midnight. */

import { readonly, shallowRef } from 'vue'

const now = shallowRef(new Date())

export const today = readonly(now)

function wait(): void {
  const midnight = new Date(now.value.getFullYear(), now.value.getMonth(), now.value.getDate() + 1)
  setTimeout(() => {
    now.value = new Date()
    wait()
  }, midnight.getTime() - now.value.getTime())
}

wait()
