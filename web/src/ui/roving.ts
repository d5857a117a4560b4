/**
 * One stop for the Tab key among thousands of messages: the link of the message where the reader is. Arrow keys, Home and
 * End go from there to others. The elements are told directly: nothing is rendered for it.
 */

import { onBeforeUnmount, onMounted, type Ref } from 'vue'

import { bottomRow, rowSelector } from './rowsInSight'

export function useRoving(scroller: Readonly<Ref<HTMLElement | null>>, lists: Readonly<Ref<HTMLElement | null>>): void {
  let stop: HTMLElement | undefined

  function stopAt(row: Element | null | undefined): HTMLElement | undefined {
    const link = row?.querySelector<HTMLElement>('a.link') ?? undefined
    if (link === undefined) return undefined
    if (stop !== undefined) stop.tabIndex = -1
    link.tabIndex = 0
    stop = link
    return link
  }

  function onFocusIn(event: FocusEvent): void {
    const element = scroller.value
    if (element === null || !(event.target instanceof Element)) return
    if (event.target !== element) stopAt(event.target.closest(rowSelector))
    else if (stop?.isConnected !== true || !isInSight(stop, element)) stopAt(bottomRow(element, lists.value))
  }

  function onKey(event: KeyboardEvent): void {
    const link = event.target
    if (!(link instanceof HTMLElement) || !link.matches('a.link') || event.altKey || event.ctrlKey || event.metaKey) return
    const row = link.closest(rowSelector)
    const next = row === null ? undefined : neighbour(row, event.key, lists.value)
    if (next === undefined) return
    event.preventDefault()
    stopAt(next)?.focus()
  }

  onMounted(() => {
    scroller.value?.addEventListener('focusin', onFocusIn)
    scroller.value?.addEventListener('keydown', onKey)
  })
  onBeforeUnmount(() => {
    scroller.value?.removeEventListener('focusin', onFocusIn)
    scroller.value?.removeEventListener('keydown', onKey)
  })
}

function neighbour(row: Element, key: string, lists: Element | null): Element | undefined {
  const step = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }[key]
  const all = lists?.querySelectorAll(rowSelector)
  if (step === undefined || all === undefined) return undefined
  const place = [...all].indexOf(row) + step
  return all[Math.min(Math.max(place, 0), all.length - 1)]
}

function isInSight(element: Element, scroller: Element): boolean {
  const [inner, outer] = [element.getBoundingClientRect(), scroller.getBoundingClientRect()]
  return inner.bottom > outer.top && inner.top < outer.bottom
}
