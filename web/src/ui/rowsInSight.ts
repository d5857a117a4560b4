/** Finds the rows in sight among thousands: lists lie below each other, and rows do in each, so halving finds them. */

export const rowSelector = 'li[data-offset]'

/** The first row that reaches below the scroller's upper edge. `lists` is the element whose children are lists of rows. */
export function topRow(scroller: Element, lists: Element | null): HTMLElement | undefined {
  const { top } = scroller.getBoundingClientRect()
  const list = lists === null ? undefined : firstBelow(top, lists.children)
  return list === undefined ? undefined : rowFrom(firstBelow(top, list.children), 'nextElementSibling')
}

/** The last row that begins above the scroller's lower edge. */
export function bottomRow(scroller: Element, lists: Element | null): HTMLElement | undefined {
  const { bottom } = scroller.getBoundingClientRect()
  const list = lists === null ? undefined : firstBelow(bottom, lists.children) ?? lists.lastElementChild
  const row = list?.children && (firstBelow(bottom, list.children) ?? list.lastElementChild)
  return rowFrom(row ?? undefined, 'previousElementSibling') ?? topRow(scroller, lists)
}

function rowFrom(element: Element | undefined, direction: 'nextElementSibling' | 'previousElementSibling'): HTMLElement | undefined {
  let row: Element | null | undefined = element
  while (row && !row.matches(rowSelector)) row = row[direction]
  return row instanceof HTMLElement ? row : undefined
}

/** The first that reaches below `edge`. */
function firstBelow(edge: number, elements: HTMLCollection): Element | undefined {
  let [low, high] = [0, elements.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((elements[middle]?.getBoundingClientRect().bottom ?? 0) > edge) high = middle
    else low = middle + 1
  }
  return elements[low]
}
