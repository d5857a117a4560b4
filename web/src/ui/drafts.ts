/** What was begun and not sent while the page lives, by conversation. One user's only: whoever comes next finds none. */

import type { ConversationKey } from '../tidemark'

export class Drafts {
  #userID: string | undefined
  readonly #contents = new Map<ConversationKey, string>()

  get(userID: string | undefined, conversation: ConversationKey): string {
    if (userID !== this.#userID) this.#contents.clear()
    this.#userID = userID
    return this.#contents.get(conversation) ?? ''
  }

  /** Of nobody but the user that get() was asked about last. */
  set(userID: string | undefined, conversation: ConversationKey, content: string): void {
    if (userID !== this.#userID) return
    if (content === '') this.#contents.delete(conversation)
    else this.#contents.set(conversation, content)
  }

  get count(): number {
    return this.#contents.size
  }
}
