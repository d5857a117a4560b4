/** Who connects: a user that is kept, a new one by a name, or nobody. */

import type { Auth } from './contract'
import type { KeptSession } from './store'
import type { Identity } from './tidemark'

export class Who {
  #session: KeptSession | undefined
  /** Of somebody whom the gateway does not know yet. */
  #name: string | undefined
  /** Each handshake has a token that says who it is. */
  readonly #byToken: boolean
  #left = false

  constructor(kept: KeptSession | undefined, byToken: boolean) {
    this.#session = kept
    this.#byToken = byToken
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
    return this.#byToken ? !this.#left : this.#session !== undefined || this.#name !== undefined
  }

  /** Somebody wants to connect, as whom his token says. */
  come(): void {
    this.#left = false
  }

  enter(name: string): void {
    this.#session = undefined
    this.#name = name
  }

  is(session: KeptSession): void {
    this.#left = false
    this.#session = session
    this.#name = undefined
  }

  leave(): void {
    this.#left = true
    this.#session = undefined
    this.#name = undefined
  }

  /** The part of the handshake that says who it is. */
  auth(): Pick<Auth, 'username' | 'sessionID'> {
    if (this.#byToken) return {}
    if (this.#session !== undefined) return { sessionID: this.#session.sessionID }
    return this.#name === undefined ? {} : { username: this.#name }
  }
}
