/** A chat page as a person uses it, and what holds for every such page. */

import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Where a page has what a person needs. */
export interface Places {
  input: string
  messages: string
}

export class ChatPage {
  readonly page: Page
  readonly #places: Places

  constructor(page: Page, places: Places) {
    this.page = page
    this.#places = places
  }

  /** Types and presses Enter; does not wait for anything to come of it. */
  async say(...texts: string[]): Promise<void> {
    for (const text of texts) {
      await this.page.fill(this.#places.input, text)
      await this.page.press(this.#places.input, 'Enter')
    }
  }

  /** The messages shown, in order. */
  texts(): Promise<string[]> {
    return this.page.locator(this.#places.messages).evaluateAll((rows) => rows.map((row) => {
      return (row.querySelector('.text') ?? row).textContent ?? ''
    }))
  }

  offsets(): Promise<number[]> {
    return this.page.locator(this.#places.messages).evaluateAll((rows) => rows.map((row) => {
      return Number((row as HTMLElement).dataset.offset)
    }))
  }

  async shows(texts: string[]): Promise<void> {
    await expect.poll(() => this.texts()).toEqual(texts)
  }
}

/**
 * Waits until a page's connection is a WebSocket. It begins with long-polling; the official client, if it is cut off just
 * when it changes over, finds out only when a ping is overdue, whoever serves it.
 */
export async function onWebSocket(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate('socket.io.engine.transport.name')).toBe('websocket')
}

/**
 * Everyone comes to show every one of these messages exactly once, in one and the same order in which each author's are
 * as they were typed, with ascending offsets.
 *
 * What would come a second time would come before what is said now: so each author says a last word, and once
 * everyone has all of those there is nothing more to come.
 */
export async function everyoneShows(pages: ChatPage[], typed: Map<ChatPage, string[]>): Promise<void> {
  const lastWords: string[] = []
  for (const [index, author] of [...typed.keys()].entries()) {
    const word = `last word ${index}`
    lastWords.push(word)
    await author.say(word)
  }
  for (const page of pages) {
    await expect.poll(() => page.texts()).toEqual(expect.arrayContaining(lastWords))
  }
  const shown = await Promise.all(pages.map((page) => page.texts()))
  const [order] = shown
  for (const texts of shown) expect(texts).toEqual(order)
  expect([...order!].sort()).toEqual([...[...typed.values()].flat(), ...lastWords].sort())
  for (const texts of typed.values()) expect(order!.filter((text) => texts.includes(text))).toEqual(texts)
  for (const page of pages) expectAscending(await page.offsets())
}

export function expectAscending(offsets: number[]): void {
  expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b))
}

/** `author 1`, `author 2`, ... */
export function lines(author: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `${author} ${from + index}`)
}
