/** Older messages, read page by page: one request after another, as the gateway answers them. */

import type { Conversation, Page, PageRequest } from './contract'
import * as parse from './parse'
import type { Requests } from './requests'

export class History {
  readonly #requests: Requests
  /** Settles, and never rejects, when the last page asked for so far has come or will not. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(requests: Requests) {
    this.#requests = requests
  }

  /** @throws RequestError */
  page(conversation: Conversation, request: PageRequest = {}): Promise<Page> {
    const whose = 'room' in conversation ? { room: conversation.room } : { with: conversation.user }
    const page = this.#last.then(() => {
      return this.#requests.ask('history', { ...whose, ...request }, (reply) => parse.page(reply, conversation))
    })
    this.#last = page.catch(() => {})
    return page
  }
}
