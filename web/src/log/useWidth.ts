/** How wide an element is, in CSS pixels: pictures are drawn at their size, so that their text stays readable. */

import type { Ref } from 'vue'
import { onMounted, onUnmounted, ref, useTemplateRef } from 'vue'

/** `name`: of the element's template ref. */
export function useWidth(name: string): Ref<number> {
  const element = useTemplateRef<HTMLElement>(name)
  const width = ref(0)
  const observer = new ResizeObserver((entries) => {
    for (const entry of entries) width.value = Math.floor(entry.contentRect.width)
  })
  onMounted(() => { if (element.value) observer.observe(element.value) })
  onUnmounted(() => observer.disconnect())
  return width
}
