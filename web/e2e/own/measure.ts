/** Figures of the page, printed and not judged: how long it takes, and what it weighs. */

import type { Page } from 'playwright-core'

import { testWithArchive as test } from './fixtures'
import { readUp } from './scrolling'
import { scriptsOf } from './scripts'
import { write } from './writer'

const runs = 9

function figures(what: string, values: number[], unit = 'ms'): void {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN).toFixed(1)
  console.log(`${what}: median ${at(0.5)} ${unit}, 95 % ${at(0.95)}, most ${at(1)} (of ${values.length})`)
}

/** Milliseconds from the navigation to the first message in the document that has been painted, and to live. */
async function times(page: Page, url: string): Promise<{ message: number; live: number }> {
  await page.addInitScript(() => {
    const marks: { message?: number; live?: number } = Object.assign(window, { marks: {} }).marks
    const look = () => {
      if (document.querySelector('#messages li[data-offset]') !== null) marks.message ??= performance.now()
      if (document.querySelector('#state')?.getAttribute('data-phase') === 'live') marks.live ??= performance.now()
      if (marks.message === undefined || marks.live === undefined) requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
  await page.goto(url)
  const marks = await page.waitForFunction(() => {
    const { marks } = window as unknown as { marks: { message?: number; live?: number } }
    return marks.message !== undefined && marks.live !== undefined ? { message: marks.message, live: marks.live } : undefined
  })
  return await marks.jsonValue() ?? { message: NaN, live: NaN }
}

test('opening a room with 5,000 messages', async ({ server, browser, entered }) => {
  const ana = await entered('Ana')
  const storageState = await ana.page.context().storageState({ indexedDB: true })
  const all: { message: number; live: number }[] = []
  for (let run = 0; run < runs; run++) {
    const context = await browser.newContext({ storageState })
    all.push(await times(await context.newPage(), server.url))
    await context.close()
  }
  figures('navigation to the first message visible, cold cache', all.map(({ message }) => message))
  figures('navigation to live, cold cache', all.map(({ live }) => live))
})

test('scrolling through 5,000 messages', async ({ entered }) => {
  const ana = await entered('Ana')
  const started = performance.now()
  const reading = await readUp(ana)
  console.log(`loading all ${reading.rows.length} by scrolling up: ${(performance.now() - started).toFixed(0)} ms, rows moved by at most ${reading.jump} px`)
  const frames = await ana.page.evaluate(async () => {
    const scroll = document.querySelector('#scroll')
    if (!(scroll instanceof HTMLElement)) throw new Error('there is no #scroll')
    const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve))
    const times: number[] = []
    let before = await frame()
    for (let last = -1; scroll.scrollTop !== last;) {
      last = scroll.scrollTop
      scroll.scrollTop += 600
      const now = await frame()
      times.push(now - before)
      before = now
    }
    return times
  })
  figures('frames while scrolling down, 600 px each', frames)
})

test('catching up 5,000 messages', async ({ server, entered }) => {
  const { page } = await entered('Boris')
  await page.context().setOffline(true)
  await page.waitForSelector('#state:not([data-phase=live])')
  await write(server.url, { authors: ['Clara'], count: 5_000 })
  const settled = page.evaluate(async () => {
    const state = document.querySelector('#state')
    const reached = (phase: string) => new Promise<number>((resolve) => {
      const look = () => (state?.getAttribute('data-phase') === phase ? resolve(performance.now()) : requestAnimationFrame(look))
      look()
    })
    const from = await reached('catching up')
    return (await reached('live')) - from
  })
  await page.context().setOffline(false)
  console.log(`catching up 5,000 messages: ${(await settled).toFixed(0)} ms`)
})

test('scripts', async ({ server }) => {
  const scripts = await scriptsOf(`${server.url}/`)
  for (const { path, bytes, gzipped } of scripts) console.log(`${path}: ${bytes} bytes, ${gzipped} gzipped`)
  console.log(`all scripts of the chat: ${scripts.reduce((sum, { gzipped }) => sum + gzipped, 0)} bytes gzipped`)
})
