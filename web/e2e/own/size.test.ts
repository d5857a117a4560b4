/** What the page costs to load. */

import { expect } from 'vitest'

import { test } from './fixtures'
import { scriptsOf } from './scripts'

const mostBytes = 150_000

test('the scripts of the chat, with all that they import, are below 150 kB gzipped', async ({ server, person, open }) => {
  const scripts = await scriptsOf(`${server.url}/`)
  const loaded = new Set<string>()
  const page = await person()
  page.on('request', (request) => request.resourceType() === 'script' && loaded.add(new URL(request.url()).pathname))
  const chat = await open(page)
  await chat.enter('Ana')
  expect(scripts.map(({ path }) => path)).toEqual(expect.arrayContaining([...loaded]))
  expect(loaded.size).toBeGreaterThan(0)
  expect(scripts.reduce((sum, { gzipped }) => sum + gzipped, 0)).toBeLessThan(mostBytes)
})
