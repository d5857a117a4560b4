/**
 * Keeps still what the reader looks at, whatever is put above or below it, or changes height.
 *
 * The browsers' own scroll anchoring is switched off (`overflow-anchor: none`): Safari has none, the others have none at
 * the very top, which is where older messages are waited for, and two corrections are one too many. Instead, the first
 * row in sight is remembered with its distance from the content's upper edge, which scrolling does not change. Whatever
 * that distance has grown by, scrollTop is moved by. This is done
 *
 *   after Vue has changed the document: nobody, a script neither, finds the row at a wrong place;
 *   in a ResizeObserver, which is told after layout and before paint: of folds, fonts and the window's width.
 *
 * Both come before the frame is painted, in Chromium, Firefox and Safari alike. Who is at the end stays at the end
 * instead. Sizes are read when the layout is about to be done anyway, or is done, and nothing is read after a write that
 * would change it.
 *
 * While it has no size, because something else stands in its place, nothing can be read off it: what was noted last
 * holds until it is back.
 */

import { onBeforeUnmount, onMounted, shallowRef, type Ref, type ShallowRef } from 'vue'

import { rowSelector, topRow } from './rowsInSight'

/** The end is reached within so many pixels. */
const slack = 32
/** The browser tells heights as whole numbers. */
const rounding = 2

export interface Scrolling {
  /** The reader is at the lower end. */
  readonly atEnd: Readonly<ShallowRef<boolean>>
  /** It has a size: nothing else stands in its place. */
  readonly sized: Readonly<ShallowRef<boolean>>
  /** To be called whenever the document has been changed. */
  settle(): void
  toEnd(): void
  /** Brings a row into the middle. */
  toRow(row: HTMLElement): void
  /** Pixels of content beyond the upper, and the lower, edge. */
  beyond(): { above: number; below: number; height: number }
}

export interface Scrolled {
  scroller: Readonly<Ref<HTMLElement | null>>
  /** Its one child. */
  content: Readonly<Ref<HTMLElement | null>>
  /** Element whose children are lists of rows. */
  lists: Readonly<Ref<HTMLElement | null>>
  /** Whether who is at the end stays there when content is appended; else he stays at what he looks at. */
  sticks: () => boolean
  /** Told after each scroll and each change of size. */
  after: () => void
}

/** What there was to see when it was last looked at. */
interface Noted {
  scrollTop: number
  scrollHeight: number
  clientHeight: number
  /** To the end. */
  below: number
  /** He was at the end, and stays there. */
  stuck: boolean
  row: HTMLElement | undefined
  offset: string | undefined
  /** Of the row, from the content's upper edge. */
  fromStart: number
}

/** scrollTop as it was before content went away: the browser has cut it off at the new end by now. */
function unclamped({ scrollTop, scrollHeight }: HTMLElement, noted: Noted): number {
  const before = noted.scrollHeight - noted.clientHeight - noted.below
  return scrollHeight < noted.scrollHeight ? Math.max(scrollTop, before) : scrollTop
}

export function useScrolling({ scroller, content, lists, sticks, after }: Scrolled): Scrolling {
  const atEnd = shallowRef(true)
  const sized = shallowRef(false)
  let noted: Noted | undefined

  function beyond(): { above: number; below: number; height: number } {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = scroller.value ?? {}
    return { above: scrollTop, below: scrollHeight - clientHeight - scrollTop, height: clientHeight }
  }

  function fromStart(row: HTMLElement): number {
    return row.getBoundingClientRect().top - (content.value?.getBoundingClientRect().top ?? 0)
  }

  /** The scroller, if it has a size. */
  function measured(): HTMLElement | undefined {
    const element = scroller.value
    sized.value = element !== null && element.clientHeight > 0
    return sized.value && element !== null ? element : undefined
  }

  function note(): void {
    const element = measured()
    if (element === undefined) return
    const { scrollTop, scrollHeight, clientHeight } = element
    const { below } = beyond()
    const row = topRow(element, lists.value)
    atEnd.value = below <= slack
    noted = {
      scrollTop, scrollHeight, clientHeight, below: below <= rounding ? 0 : below, stuck: atEnd.value && sticks(),
      row, offset: row?.dataset.offset, fromStart: row === undefined ? 0 : fromStart(row),
    }
  }

  /** The row that was noted: it may have been drawn anew, as another element. */
  function notedRow(): HTMLElement | undefined {
    if (noted?.row === undefined || noted.row.isConnected) return noted?.row
    return lists.value?.querySelector<HTMLElement>(`${rowSelector}[data-offset="${noted.offset}"]`) ?? undefined
  }

  function settle(): void {
    const isBack = !sized.value
    const element = measured()
    if (element === undefined) return
    if (noted === undefined) return note()
    // Without a size it may have forgotten how far it was scrolled.
    if (isBack) element.scrollTop = noted.scrollTop
    if (noted.stuck) {
      const by = beyond().below - noted.below
      if (by !== 0) element.scrollTop += by
    } else {
      const row = notedRow()
      const by = row === undefined ? 0 : fromStart(row) - noted.fromStart
      if (by !== 0) element.scrollTop = unclamped(element, noted) + by
    }
    note()
  }

  function onScroll(): void {
    const element = scroller.value
    // What has changed the size has yet to be settled, in this very frame: it is not to be taken for scrolling.
    if (element === null || !sized.value || element.scrollHeight !== noted?.scrollHeight || element.clientHeight !== noted.clientHeight) return
    note()
    after()
  }

  const observer = new ResizeObserver(() => {
    settle()
    after()
  })

  onMounted(() => {
    if (scroller.value === null || content.value === null) return
    note()
    scroller.value.addEventListener('scroll', onScroll, { passive: true })
    observer.observe(content.value)
    observer.observe(scroller.value)
  })
  onBeforeUnmount(() => {
    scroller.value?.removeEventListener('scroll', onScroll)
    observer.disconnect()
  })

  function toEnd(): void {
    const element = measured()
    if (element === undefined) return
    element.scrollTop = element.scrollHeight
    note()
  }

  function toRow(row: HTMLElement): void {
    const element = measured()
    if (element === undefined) return
    const [outer, inner] = [element.getBoundingClientRect(), row.getBoundingClientRect()]
    const room = Math.max(0, (outer.height - inner.height) / 2)
    element.scrollTop += inner.top - outer.top - room
    note()
  }

  return { atEnd, sized, settle, toEnd, toRow, beyond }
}
