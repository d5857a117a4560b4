/** What every test starts from: a server with an empty log, and a browser. */

import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { expect, inject, test as base } from 'vitest'

import { Standalone, type Settings } from './standalone'

interface Fixtures {
  /** Of the server; test.override() changes them. */
  settings: Settings
  server: Standalone
  browser: Browser
  /** A browser of its own for each person: no cookies, storage or cache shared. No script on its pages may fail. */
  person: () => Promise<Page>
}

const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export const test = base.extend<Fixtures>({
  // People in these tests type faster than people do.
  settings: { TIDEMARK_GATEWAY_RATE_LIMIT: 'off' },
  server: async ({ settings, onTestFailed }, use) => {
    const server = await Standalone.start(inject('binary'), settings)
    onTestFailed(() => console.error(`the server's log:\n${server.log}`))
    await use(server)
    await server.remove()
  },
  browser: [
    async ({}, use) => {
      const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
      const browser = await chromium.launch({ executablePath, args: chromiumArguments })
      await use(browser)
      await browser.close()
    },
    { scope: 'file' },
  ],
  person: async ({ browser }, use) => {
    const contexts: BrowserContext[] = []
    const failures: string[] = []
    await use(async () => {
      // A document that a test puts in place of the server's counts as one of the public internet, which has to ask
      // before it reaches 127.0.0.1.
      const context = await browser.newContext({ permissions: ['local-network-access'] })
      contexts.push(context)
      context.on('weberror', (failure) => failures.push(String(failure.error().stack)))
      return context.newPage()
    })
    await Promise.all(contexts.map((context) => context.close()))
    expect.soft(failures).toEqual([])
  },
})
