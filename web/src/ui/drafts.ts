/**
 * What was begun and not sent, by conversation: kept over reloads of the tab, not over its end. One user's only: whoever
 * comes next finds none.
 */

import type { ConversationKey } from '../tidemark'

const name = 'tidemark drafts'
/** A longer one is kept while the page lives: the browser has room for some megabytes. */
const mostCharacters = 100_000

/** The tab's own storage; it may be refused, or full. */
type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

export class Drafts {
  readonly #shelf: Shelf | undefined
  #userID: string | undefined
  readonly #contents = new Map<ConversationKey, string>()

  constructor(shelf?: Shelf) {
    this.#shelf = shelf
    this.#load()
  }

  /** This user is here now, or nobody. */
  of(userID: string | undefined): void {
    if (userID === this.#userID) return
    this.#userID = userID
    this.#contents.clear()
    this.#keep()
  }

  get(userID: string | undefined, conversation: ConversationKey): string {
    this.of(userID)
    return this.#contents.get(conversation) ?? ''
  }

  /** Of nobody but the user who is here now. */
  set(userID: string | undefined, conversation: ConversationKey, content: string): void {
    if (userID !== this.#userID) return
    if (content === '') this.#contents.delete(conversation)
    else this.#contents.set(conversation, content)
    this.#keep()
  }

  get count(): number {
    return this.#contents.size
  }

  #keep(): void {
    const contents = [...this.#contents].filter(([, content]) => content.length <= mostCharacters)
    try {
      if (contents.length === 0) this.#shelf?.removeItem(name)
      else this.#shelf?.setItem(name, JSON.stringify({ userID: this.#userID, contents }))
    } catch {
      // Then they are kept while the page lives.
    }
  }

  #load(): void {
    try {
      const { userID, contents } = JSON.parse(this.#shelf?.getItem(name) ?? '{}')
      if (typeof userID !== 'string' || !Array.isArray(contents)) return
      for (const [key, content] of contents) {
        if (typeof key === 'string' && typeof content === 'string') this.#contents.set(key as ConversationKey, content)
      }
      this.#userID = userID
    } catch {
      this.#contents.clear()
    }
  }
}

/** Of this tab. A Composer that goes leaves its draft here. */
export const drafts = tabDrafts()

function tabDrafts(): Drafts {
  try {
    return new Drafts(sessionStorage)
  } catch {
    return new Drafts()
  }
}
