/**
 * One message among thousands is a stop for the Tab key: the one where the reader is. Its links and buttons can be reached;
 * arrow keys, Home and End go from there to other messages. The elements are told directly: nothing is rendered for it.
 */

import { onBeforeUnmount, onMounted, type Ref } from 'vue'

import { bottomRow, rowSelector } from './rowsInSight'

const steps: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }

/** `lists` is within the scroller, and its children are lists of rows, in which everything has a tabindex of -1. */
export function useRoving(scroller: Readonly<Ref<HTMLElement | null>>, lists: Readonly<Ref<HTMLElement | null>>): void {
  let stop: Element | undefined

  function stopAt(row: Element): void {
    if (stop !== undefined) setStops(stop, -1)
    setStops(row, 0)
    stop = row
  }

  function onFocusIn(event: FocusEvent): void {
    const element = scroller.value
    if (element === null || !(event.target instanceof Element)) return
    const row = event.target === element ? rowFor(element) : event.target.closest(rowSelector)
    if (row) stopAt(row)
  }

  /** Who comes to the scroller finds the stop in sight. */
  function rowFor(element: Element): Element | undefined {
    return stop?.isConnected === true && isInSight(stop, element) ? stop : bottomRow(element, lists.value)
  }

  function onKey(event: KeyboardEvent): void {
    const row = event.target instanceof Element ? event.target.closest(rowSelector) : null
    if (row === null || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
    const next = neighbour(row, steps[event.key])
    if (next === undefined) return
    event.preventDefault()
    stopAt(next)
    next.querySelector<HTMLElement>('a.link')?.focus()
  }

  function neighbour(row: Element, step: number | undefined): Element | undefined {
    if (step === undefined) return undefined
    const all = [...lists.value?.querySelectorAll(rowSelector) ?? []]
    return all[Math.min(Math.max(all.indexOf(row) + step, 0), all.length - 1)]
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

function setStops(row: Element, tabindex: number): void {
  for (const element of row.querySelectorAll<HTMLElement>('a, button')) element.tabIndex = tabindex
}

function isInSight(element: Element, scroller: Element): boolean {
  const [inner, outer] = [element.getBoundingClientRect(), scroller.getBoundingClientRect()]
  return inner.bottom > outer.top && inner.top < outer.bottom
}
