/** The view of the log at /log. */

import { describe, expect } from 'vitest'

import { test } from './fixtures'
import { watch } from './policy'
import { write } from './writer'

test('is not there unless it is switched on', async ({ server }) => {
  for (const path of ['/log', '/log.html', '/log/']) expect((await fetch(`${server.url}${path}`)).status, path).toBe(404)
})

describe('switched on', () => {
  test.override({
    settings: { TIDEMARK_GATEWAY_RATE_LIMIT: 'off', TIDEMARK_GATEWAY_LOG_VIEW: 'true', TIDEMARK_NOTARY_INTERVAL: '1s' },
  })

  test('shows events as they are written, the persister and the newest signed checkpoint, and nothing that was said', async ({ server, person }) => {
    const context = (await person()).context()
    const watched = await watch(context)
    const page = await context.newPage()
    await page.goto(`${server.url}/log`)
    await expect.poll(() => page.getAttribute('#stream-state', 'data-phase')).toBe('live')
    const shown = () => page.locator('#log-events [data-offset]').evaluateAll((rows) => rows.map((row) => {
      const part = (name: string) => row.querySelector(`.${name}`)?.textContent?.trim() ?? ''
      return { offset: Number((row as HTMLElement).dataset.offset), type: part('type'), conversation: part('conversation'), size: part('size'), digest: part('digest') }
    }))
    const secret = 'nobody but those in the room may read this'
    const written = await write(server.url, { authors: ['Ana', 'Boris'], count: 10, text: (index) => `${secret} ${index}` })
    const last = written.at(-1)?.offset ?? 0
    await expect.poll(async () => (await shown()).map(({ offset }) => offset)).toContain(last)
    const rows = (await shown()).toSorted((a, b) => a.offset - b.offset)
    expect(rows.map(({ offset }) => offset)).toEqual(Array.from({ length: last }, (_, index) => index + 1))
    expect(new Set(rows.map(({ type }) => type))).toEqual(new Set(['user.registered', 'message.posted']))
    const message = rows.at(-1)
    expect(message?.conversation).toContain('general')
    expect(message?.size).toMatch(/\d/)
    expect(message?.digest).toMatch(/^[\w-]{6,}/)

    await expect.poll(() => page.locator('#persister').innerText()).toMatch(new RegExp(`\\b${last}\\b`))
    await expect.poll(() => page.locator('#checkpoint').innerText(), { timeout: 30_000 }).toMatch(new RegExp(`\\b${last}\\b`))
    const pictures = page.locator('svg[role=img]')
    expect(await pictures.count()).toBeGreaterThan(0)
    for (const picture of await pictures.all()) expect(await picture.getAttribute('aria-label')).toMatch(/\w/)

    expect(await page.content()).not.toContain('nobody but those')
    expect(watched.complaints).toEqual([])
    expect([...watched.hosts]).toEqual([new URL(server.url).host])
  })

  test('says when the gateway is gone, and goes on without a gap when it is back', async ({ server, person }) => {
    const page = await person()
    await page.goto(`${server.url}/log`)
    const phase = () => page.getAttribute('#stream-state', 'data-phase')
    await expect.poll(phase).toBe('live')
    await write(server.url, { authors: ['Ana'], count: 3 })
    await server.kill()
    await expect.poll(phase).not.toBe('live')
    await server.start()
    const last = (await write(server.url, { authors: ['Boris'], count: 3 })).at(-1)?.offset ?? 0
    await expect.poll(phase).toBe('live')
    const offsets = () => page.locator('#log-events [data-offset]').evaluateAll((rows) => {
      return rows.map((row) => Number((row as HTMLElement).dataset.offset)).sort((a, b) => a - b)
    })
    await expect.poll(offsets).toEqual(Array.from({ length: last }, (_, index) => index + 1))
  })
})
