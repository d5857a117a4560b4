/**
 * A browser whose tabs are visible or hidden as they are to people. Playwright makes all tabs of the browsers that it launches
 * believe that somebody looks at them; one that runs already it leaves as it is.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { chromium, type BrowserContext } from 'playwright-core'

/** Runs something with such a browser, which has one window. */
export async function withTabs(use: (context: BrowserContext) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-e2e-tabs-'))
  const running = spawn(process.env.CHROMIUM ?? '/usr/bin/chromium', [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--remote-debugging-port=0', `--user-data-dir=${folder}`, 'about:blank',
  ], { stdio: ['ignore', 'ignore', 'pipe'] })
  const gone = once(running, 'exit')
  try {
    const browser = await chromium.connectOverCDP(await debuggingAddress(running.stderr), { noDefaults: true })
    const [context] = browser.contexts()
    if (context === undefined) throw new Error('the browser has no context')
    await use(context)
    await browser.close()
  } finally {
    running.kill()
    await gone
    await rm(folder, { recursive: true, maxRetries: 20 })
  }
}

async function debuggingAddress(output: NodeJS.ReadableStream): Promise<string> {
  const said: string[] = []
  for await (const line of createInterface({ input: output })) {
    const address = /^DevTools listening on (ws:.*)$/.exec(line)?.[1]
    if (address !== undefined) {
      output.resume() // what else it says is nobody's
      return address
    }
    said.push(line)
  }
  throw new Error(`the browser did not start:\n${said.join('\n')}`)
}
