/** Pages of the log that nobody looks at, and what is tinted on one that somebody does. */

import type { Page } from 'playwright-core'
import { expect } from 'vitest'

import { test } from './fixtures'
import { withTabs } from './tabs'
import { write } from './writer'

test.override({ settings: { TIDEMARK_GATEWAY_RATE_LIMIT: 'off', TIDEMARK_GATEWAY_LOG_VIEW: 'true' } })

async function viewers(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return Number(/^tidemark_gateway_log_viewers (\d+)$/m.exec(metrics)?.[1])
}

/** The offsets that the page shows, the oldest first. */
function offsets(page: Page): Promise<number[]> {
  return page.locator('#log-events [data-offset]').evaluateAll((rows) => {
    return rows.map((row) => Number((row as HTMLElement).dataset.offset)).sort((a, b) => a - b)
  })
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

test('six tabs of the log leave the chat reachable, and each goes on when somebody looks at it', async ({ server }) => {
  await withTabs(async (context) => {
    const tabs: Page[] = []
    for (let i = 0; i < 6; i++) {
      const tab = await context.newPage()
      await tab.goto(`${server.url}/log`, { timeout: 10_000 })
      await expect.poll(() => tab.getAttribute('#stream-state', 'data-phase')).toBe('live')
      tabs.push(tab)
    }
    await expect.poll(() => viewers(server.url)).toBe(1)

    const chat = await context.newPage()
    await chat.goto(`${server.url}/`, { timeout: 10_000 })
    await expect.poll(() => viewers(server.url)).toBe(0)

    const last = (await write(server.url, { authors: ['Ana'], count: 5 })).at(-1)?.offset ?? 0
    for (const tab of tabs) {
      await tab.bringToFront()
      await expect.poll(() => offsets(tab)).toEqual(upTo(last))
    }
    await expect.poll(() => viewers(server.url)).toBe(1)
  })
})

test('behind a burst only what is new is tinted', async ({ server, person }) => {
  const page = await person()
  const tinted = (): Promise<number[]> => page.locator('#log-events [data-offset]').evaluateAll((rows) => {
    return rows.filter((row) => getComputedStyle(row).animationName !== 'none').map((row) => Number((row as HTMLElement).dataset.offset))
  })
  await write(server.url, { authors: ['Ana'], count: 5 })
  await page.goto(`${server.url}/log`)
  await expect.poll(() => offsets(page)).toEqual(upTo(6))
  await page.click('#pause')
  const burst = (await write(server.url, { authors: ['Boris'], count: 100 })).at(-1)?.offset ?? 0
  await expect.poll(() => page.locator('.tools').innerText()).toContain('101 events since')
  await page.click('#pause')
  await expect.poll(() => offsets(page)).toEqual(upTo(burst))
  expect(await tinted()).toEqual([])
  const one = (await write(server.url, { authors: ['Clara'], count: 1 })).at(-1)?.offset ?? 0
  await expect.poll(() => offsets(page)).toEqual(upTo(one))
  expect(await tinted()).toEqual([one, one - 1]) // what was said, and the registration of who has said it
})
