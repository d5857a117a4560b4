/** Names and texts that mean harm, and the policy under which the page works. */

import { expect } from 'vitest'

import { secondTab, test } from './fixtures'
import { watch } from './policy'

const texts = [
  '<img src=x onerror="window.hostile = true">',
  '<script>window.hostile = true</script>',
  '"><svg onload="window.hostile = true"><a href="javascript:window.hostile = true">x</a>',
  '<iframe srcdoc="<script>parent.hostile = true</script>"></iframe><style>* { display: none }</style>',
  '&lt;b&gt; &amp; {{7*7}} ${7*7} {{constructor.constructor("window.hostile = true")()}}',
  'https://example.org/"onmouseover="window.hostile=true',
  'https://example.org/<img src=x onerror=window.hostile=true>',
  '\u202eright to left\u0000 \u2066isolate \u{1f44d}',
  'zero\u200bwidth\u200d\ufeff and \u0007 control',
  'Z\u0310\u0311\u0312\u0313'.repeat(50),
  'w'.repeat(4_000),
  '\u{1f468}\u200d'.repeat(500),
]
const names = ['<b onclick="window.hostile = true">Bob</b>', '\u202eevil\u202c\u2067', '"\'><img src=//evil.example/x>', 'N'.repeat(64)]
const places = ['#messages', '#outbox', '#conversations', '#typing', '#conversation h1', '#composer']

test('hostile names, rooms and texts are text on every screen, and make the page no wider', async ({ entered }) => {
  const reader = await entered('Reader')
  for (const name of names) {
    const author = await entered(name)
    await author.join('<i>room</i> {{7*7}}')
    await author.choose('Reader')
    await author.say(...texts)
    await author.shows(texts)
    await author.page.locator('#content').pressSequentially('x')
    const line = () => reader.page.locator('#people a[data-conversation]').filter({ has: reader.page.locator('.unread') })
    await expect.poll(() => line().count()).toBe(1)
    const title = await line().locator('.title').textContent()
    expect(title?.includes(name), `${title} is not ${name}`).toBe(true)
    await line().click()
    // The conversation before it has the same texts: first, that this one is open.
    await expect.poll(() => reader.title()).toContain(name)
    await reader.shows(texts)
    for (const chat of [author, reader]) {
      for (const place of places) {
        expect(await chat.page.locator(`${place} :is(img, script, iframe, style, b, i)`).count(), place).toBe(0)
      }
      expect(await chat.page.evaluate(() => 'hostile' in window)).toBe(false)
      const tooWide = () => chat.page.evaluate((parts) => parts.filter((part) => {
        const element = document.querySelector(part)
        return element === null || element.scrollWidth > element.clientWidth
      }), ['html', '#scroll', '#conversations'])
      for (const size of [{ width: 360, height: 640 }, { width: 1280, height: 720 }]) {
        await chat.page.setViewportSize(size)
        await expect.poll(tooWide).toEqual([])
      }
    }
    expect(await author.line('<i>room</i> {{7*7}}')).toBeDefined()
    await author.page.close()
  }
})

test('half of a surrogate pair, which is no text, is shown as the sign for that', async ({ entered }) => {
  const [ana, boris] = [await entered('Ana'), await entered('Boris')]
  await ana.page.locator('#content').evaluate((element) => {
    const input = element as HTMLTextAreaElement
    input.value = `half ${String.fromCharCode(0xd83d)} a pair`
    input.dispatchEvent(new Event('input', { bubbles: true }))
  })
  await ana.page.press('#content', 'Enter')
  for (const chat of [ana, boris]) await chat.shows(['half \ufffd a pair'])
  await ana.say('after it')
  for (const chat of [ana, boris]) await chat.shows(['half \ufffd a pair', 'after it'])
  await ana.hasMarks([])
})

test('everything is asked of the gateway, under a strict policy that nothing violates', async ({ server, person, open, entered }) => {
  const context = (await person()).context()
  const watched = await watch(context)
  const ana = await open(await context.newPage())
  const [policy] = [(await ana.page.request.get(server.url)).headers()['content-security-policy'] ?? '']
  for (const directive of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]) {
    expect(policy).toContain(directive)
  }
  expect(policy).not.toMatch(/unsafe|data:|\*|https?:/)

  await ana.enter('Ana')
  const boris = await entered('Boris')
  await ana.join('garden')
  await ana.say(...texts)
  await ana.shows(texts)
  await ana.page.click('#travel')
  await ana.page.getByLabel('As of offset').fill(String((await ana.offsets())[0]))
  await ana.shows(texts.slice(0, 1))
  await ana.page.keyboard.press('Escape')
  await ana.hasMode('live')
  await ana.choose('Boris')
  await boris.page.locator('#content').pressSequentially('hm')
  const tab = await secondTab(ana)
  await tab.live()
  await ana.page.reload()
  await ana.live()
  await ana.signOut()
  expect(watched.complaints).toEqual([])
  expect([...watched.hosts]).toEqual([new URL(server.url).host])
})
