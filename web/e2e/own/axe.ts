/** What axe-core finds wrong with a page as it is now. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Fails on what is serious or critical, and prints what is less. */
export async function expectAccessible(page: Page, screen: string): Promise<void> {
  await page.evaluate(source)
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))))
  const { violations } = await page.evaluate(() => {
    const { axe } = window as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }
    return axe.run({ resultTypes: ['violations'] })
  })
  const found = violations.map(({ id, impact, nodes }) => {
    return { impact, line: `${screen}: ${impact} ${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}` }
  })
  const isGrave = ({ impact }: { impact?: string | null | undefined }) => impact === 'serious' || impact === 'critical'
  found.filter((violation) => !isGrave(violation)).forEach(({ line }) => console.warn(line))
  expect(found.filter(isGrave).map(({ line }) => line)).toEqual([])
}
