/** Reading through a conversation by scrolling, and what that does to the rows in sight. */

import type { Page } from 'playwright-core'

import type { Chat } from './chat'

export interface Reading {
  /** Offset and text of every row that was in the document at any time, in the order of their offsets. */
  rows: [offset: number, text: string][]
  /** False if at any time the rows did not ascend. */
  ascending: boolean
  /** By how many pixels a row in sight has moved at most without anybody having scrolled. */
  jump: number
  /** How often rows were added before the row in sight. */
  pages: number
}

/** Scrolls up to the beginning of the open conversation, as far up as there is anything each time, and back no more. */
export function readUp(chat: Chat): Promise<Reading> {
  return chat.page.evaluate(readInPage, 'up' as const)
}

/** Scrolls down to the present. */
export function readDown(chat: Chat): Promise<Reading> {
  return chat.page.evaluate(readInPage, 'down' as const)
}

/** Whether the row of this offset is within what one sees. */
export function inSight(page: Page, offset: number): Promise<boolean> {
  return page.evaluate((wanted) => {
    const view = document.querySelector('#scroll')?.getBoundingClientRect()
    const row = document.querySelector(`#messages li[data-offset="${wanted}"]`)?.getBoundingClientRect()
    return view !== undefined && row !== undefined && row.bottom > view.top + 1 && row.top < view.bottom - 1
  }, offset)
}

/** Runs in the page. */
async function readInPage(direction: 'up' | 'down'): Promise<Reading> {
  const scroll = document.querySelector('#scroll')
  if (!(scroll instanceof HTMLElement)) throw new Error('there is no #scroll')
  const seen = new Map<number, string>()
  let ascending = true
  let jump = 0
  let pages = 0

  const rows = () => [...document.querySelectorAll<HTMLElement>('#messages li[data-offset]')]
  const shown = (selector: string) => (document.querySelector(selector)?.getClientRects().length ?? 0) > 0
  /** After the next frame has been painted. */
  const painted = () => new Promise<void>((resolve) => {
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => resolve()
      channel.port2.postMessage(undefined)
    })
  })
  const collect = () => {
    let before = 0
    for (const row of rows()) {
      const offset = Number(row.dataset.offset)
      if (offset <= before) ascending = false
      before = offset
      if (!seen.has(offset)) seen.set(offset, row.querySelector('.text')?.textContent ?? '')
    }
  }
  const topRow = () => {
    const { top } = scroll.getBoundingClientRect()
    return rows().find((row) => row.getBoundingClientRect().bottom > top + 1)
  }
  /** Holds still until nothing is loading any more, and watches the first row in sight meanwhile. */
  const hold = async () => {
    await painted()
    const anchor = topRow()
    const top = anchor?.getBoundingClientRect().top ?? 0
    const first = Number(rows()[0]?.dataset.offset)
    for (let still = 0; still < 4; still++) {
      await painted()
      if (shown('#older')) still = 0
      if (anchor?.isConnected) jump = Math.max(jump, Math.abs(anchor.getBoundingClientRect().top - top))
      else if (anchor !== undefined) jump = Infinity
    }
    if (Number(rows()[0]?.dataset.offset) < first) pages++
    collect()
  }
  const end = () => direction === 'up'
    ? shown('#beginning') && scroll.scrollTop <= 0
    : !shown('#to-end') && scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 2
  collect()
  for (let step = 0; !end(); step++) {
    // To the very edge, where nothing anchors what one sees, and near it, in turns.
    const margin = step % 3 === 2 ? 0 : 40 + 100 * (step % 3)
    const to = direction === 'up' ? margin : scroll.scrollHeight - scroll.clientHeight - margin
    scroll.scrollTop = direction === 'up' ? Math.min(to, Math.max(0, scroll.scrollTop - 1)) : Math.max(to, scroll.scrollTop + 1)
    await hold()
    if (step > 2_000) throw new Error(`no end after ${step} steps at offset ${rows()[0]?.dataset.offset}`)
  }
  return { rows: [...seen].sort(([a], [b]) => a - b), ascending, jump, pages }
}
