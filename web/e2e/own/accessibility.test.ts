/** Every screen in every look: axe-core finds nothing grave, and nothing has to be scrolled sideways. */

import { expect } from 'vitest'

import { expectAccessible } from './axe'
import { test } from './fixtures'
import { logView, looks, looksOf, take, tour } from './screens'

test.override({
  settings: { TIDEMARK_GATEWAY_RATE_LIMIT: 'off', TIDEMARK_GATEWAY_LOG_VIEW: 'true', TIDEMARK_NOTARY_INTERVAL: '1s' },
})

test('every screen of the chat', { timeout: 120_000 }, async ({ server, person }) => {
  const seen: string[] = []
  await tour({ server, person }, async (name, page) => {
    seen.push(name)
    for (const look of looksOf(name)) {
      await take(page, look)
      await expectAccessible(page, `${name} ${look.width} ${look.scheme}`)
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect(await overflow(), `${name} ${look.width}`).toBeLessThanOrEqual(0)
    }
  })
  expect(seen.length).toBeGreaterThan(10)
})

test('the view of the log', async ({ server, person }) => {
  const page = await logView({ server, person })
  for (const look of looks) {
    await take(page, look)
    await expectAccessible(page, `log ${look.width} ${look.scheme}`)
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
  }
})

test('who wants less motion gets none', async ({ entered }) => {
  const ana = await entered('Ana')
  await ana.page.emulateMedia({ reducedMotion: 'reduce' })
  await ana.say('hello')
  await ana.shows(['hello'])
  const long = await ana.page.evaluate(() => {
    return [...document.querySelectorAll('*')].filter((element) => {
      const { animationDuration, animationName, transitionDuration, scrollBehavior } = getComputedStyle(element)
      const seconds = (durations: string) => Math.max(...durations.split(',').map(parseFloat))
      return (animationName !== 'none' && seconds(animationDuration) > 0.01) || seconds(transitionDuration) > 0.01 || scrollBehavior === 'smooth'
    }).map((element) => element.outerHTML.slice(0, 100))
  })
  expect(long).toEqual([])
})
