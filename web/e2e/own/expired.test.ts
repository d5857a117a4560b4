/** Somebody whom the gateway no longer knows: another log has been begun. */

import { expect } from 'vitest'

import { test } from './fixtures'

test('is told so, keeps his name in the field, and what he had not sent', async ({ server, entered }) => {
  const ana = await entered('Ana')
  await ana.say('before')
  await ana.shows(['before'])
  await server.stop()
  await ana.say('not sent')
  server.forget()
  await server.start()
  await expect.poll(() => ana.page.textContent('#ended')).toContain('no longer knows you as Ana')
  expect(await ana.page.textContent('#ended')).toContain('1 message was not sent')
  expect(await ana.page.inputValue('#name')).toBe('Ana')
  await ana.page.press('#name', 'Enter')
  await ana.live()
  await expect.poll(() => ana.reasons()).toEqual([expect.stringContaining('session')])
  expect(await ana.texts()).toEqual([])
})
