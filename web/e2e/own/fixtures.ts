/** What tests of our own page start from. */

import type { BrowserContext, Page } from 'playwright-core'
import { inject } from 'vitest'

import { test as base } from '../fixtures'
import { Standalone } from '../standalone'
import { Chat } from './chat'
import { write, type Written } from './writer'

interface Fixtures {
  /** Opens our page in somebody's browser, which the first call brings along and later ones are given. */
  open: (page?: Page, address?: string) => Promise<Chat>
  /** Somebody new, inside under this name, in a browser of their own. */
  entered: (name: string, address?: string) => Promise<Chat>
}

export const test = base.extend<Fixtures>({
  open: async ({ server, person }, use) => {
    await use(async (page, address = '') => {
      const chat = new Chat(page ?? (await person()))
      await chat.page.goto(`${server.url}/${address}`)
      return chat
    })
  },
  entered: async ({ open }, use) => {
    await use(async (name, address) => {
      const chat = await open(undefined, address)
      await chat.enter(name)
      return chat
    })
  },
})

/** Another tab of the same browser. */
export async function secondTab(chat: Chat): Promise<Chat> {
  const page = await chat.page.context().newPage()
  await page.goto(chat.page.url())
  return new Chat(page)
}

/** Closes the tab, and opens the page in a new one of the same browser. */
export async function reopened(chat: Chat): Promise<Chat> {
  const context: BrowserContext = chat.page.context()
  const url = chat.page.url()
  await chat.page.close()
  const page = await context.newPage()
  await page.goto(url)
  return new Chat(page)
}

interface Archive {
  server: Standalone
  /** 5,000 messages, of Ada and Bela, who take turns in room general. */
  messages: Written[]
}

interface ArchiveFixtures {
  archive: Archive
  server: Standalone
}

/** As `test`, with one server for the whole file, in whose room general 5,000 messages have been said. */
export const testWithArchive = test.extend<ArchiveFixtures>({
  archive: [
    async ({}, use) => {
      const server = await Standalone.start(inject('binary'), { TIDEMARK_GATEWAY_RATE_LIMIT: 'off' })
      try {
        await use({ server, messages: await write(server.url, { authors: ['Ada', 'Bela'], count: 5_000 }) })
      } finally {
        await server.remove()
      }
    },
    { scope: 'file' },
  ],
  server: async ({ archive, onTestFailed }, use) => {
    onTestFailed(() => console.error(`the server's log:\n${archive.server.log}`))
    await use(archive.server)
  },
})
