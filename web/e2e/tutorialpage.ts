/** The page pages/tutorial.html as a person uses it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Page } from 'playwright-core'

import { ChatPage } from './chatpage'

const html = readFileSync(join(import.meta.dirname, 'pages', 'tutorial.html'), 'utf8')

/** As if the gateway served the page: same origin. */
export async function openTutorial(page: Page, url: string): Promise<ChatPage> {
  await page.route(`${url}/tutorial`, (route) => route.fulfill({ contentType: 'text/html', body: html }))
  await page.goto(`${url}/tutorial`)
  return new ChatPage(page, { input: '#input', messages: '#messages li' })
}
