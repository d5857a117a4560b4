/** Pictures of every screen in every look, for people to look at, in web/shots/. */

import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

import type { Page } from 'playwright-core'

import { test } from './fixtures'
import { logView, looksOf, take, tour } from './screens'

const folder = resolve(import.meta.dirname, '../../shots')

test.override({ settings: { TIDEMARK_GATEWAY_RATE_LIMIT: 'off', TIDEMARK_GATEWAY_LOG_VIEW: 'true', TIDEMARK_NOTARY_INTERVAL: '1s' } })

async function shoot(name: string, page: Page): Promise<void> {
  for (const look of looksOf(name)) {
    await take(page, look)
    await page.screenshot({ path: join(folder, `${name}-${look.width}-${look.scheme}.png`) })
  }
}

test('pictures of the chat', async ({ server, person }) => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  await tour({ server, person }, shoot)
})

test('pictures of the view of the log', async ({ server, person }) => {
  await shoot('log', await logView({ server, person }))
})
