/** Who connects: a user that is kept, a new one by a name, or nobody. */

import type { Auth } from './contract'
import type { KeptSession } from './store'
import type { Identity } from './tidemark'

export class Who {
  #session: KeptSession | undefined
  /** Of somebody whom the gateway does not know yet. */
  #name: string | undefined

  constructor(kept: KeptSession | undefined) {
    this.#session = kept
  }

  get session(): KeptSession | undefined {
    return this.#session
  }

  get name(): string | undefined {
    return this.#name
  }

  get identity(): Identity | undefined {
    return this.#session && { userID: this.#session.userID, username: this.#session.username }
  }

  /** Whether there is anybody to connect as. */
  get isSomebody(): boolean {
    return this.#session !== undefined || this.#name !== undefined
  }

  enter(name: string): void {
    this.#session = undefined
    this.#name = name
  }

  is(session: KeptSession): void {
    this.#session = session
    this.#name = undefined
  }

  leave(): void {
    this.#session = undefined
    this.#name = undefined
  }

  /** The part of the handshake that says who it is. */
  auth(): Pick<Auth, 'username' | 'sessionID'> {
    if (this.#session !== undefined) return { sessionID: this.#session.sessionID }
    return this.#name === undefined ? {} : { username: this.#name }
  }
}
