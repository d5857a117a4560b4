/** Signing in and out: here, in another tab, and because the gateway knows a session no longer. */

import type { Connection } from './connection'
import type { Auth, Session } from './contract'
import type { Emit } from './emitter'
import { laterOf, type KeptSession, type Store } from './store'
import type { TabMessage } from './tabmessage'
import type { ClientEvents, Identity } from './tidemark'
import { Who } from './who'

export interface AccountOptions {
  store: Pick<Store, 'signIn' | 'forget' | 'clear'>
  emit: Emit<ClientEvents>
  connection: Pick<Connection, 'open' | 'close'>
  /** Tells the other tabs. */
  post: (message: TabMessage) => void
  /** Whether the page wants to be connected. */
  isOpen: () => boolean
  /** The user is this page's no longer. */
  ended: () => void
  /** Called before `ended` if nothing of the user is to stay. */
  forgotten: () => void
  /** Another tab has signed in as this user. */
  known: (userID: string) => void
  /** This connection is one of this user. */
  greeted: (userID: string) => void
}

export class Account {
  readonly #options: AccountOptions
  readonly #who: Who
  /** `identity` has been told since somebody signed in. */
  #introduced = false

  constructor(kept: KeptSession | undefined, options: AccountOptions) {
    this.#who = new Who(kept)
    this.#options = options
  }

  get identity(): Identity | undefined {
    return this.#who.identity
  }

  get isSomebody(): boolean {
    return this.#who.isSomebody
  }

  auth(): Pick<Auth, 'username' | 'sessionID'> {
    return this.#who.auth()
  }

  signIn(username: string): void {
    const { session } = this.#who
    if (this.#who.isSomebody) this.#options.connection.close()
    if (session !== undefined) {
      void this.#options.store.forget(session.sessionID)
      this.#end()
    }
    this.#who.enter(username)
    this.#options.connection.open()
  }

  async signOut(): Promise<void> {
    const { identity } = this
    if (identity !== undefined) this.#options.post({ type: 'signed out', userID: identity.userID })
    this.#signedOut()
    await this.#options.store.clear()
  }

  signedInElsewhere(session: KeptSession): void {
    const known = this.#who.session
    if (known?.userID === session.userID || (known !== undefined && laterOf(known, session) === known)) return
    this.#options.connection.close()
    if (this.isSomebody) this.#end() // a name that is being entered, too: what was typed under it is not said under another
    this.#who.is(session)
    this.#options.known(session.userID)
    if (this.#options.isOpen()) this.#options.connection.open()
  }

  signedOutElsewhere(userID: string): void {
    if (userID === this.identity?.userID) this.#signedOut()
  }

  /** The first event of each connection: the gateway says who this is. */
  greeted(greeting: Session | undefined): void {
    const { session: known, name } = this.#who
    const username = known?.username ?? name
    if (greeting === undefined || username === undefined) return
    if (known?.sessionID !== greeting.sessionID || known.userID !== greeting.userID) {
      const session = { ...greeting, username, since: Date.now() }
      this.#who.is(session)
      this.#introduced = false
      void this.#options.store.signIn(session)
      this.#options.post({ type: 'signed in', session })
    }
    if (!this.#introduced) this.#options.emit('identity', this.identity)
    this.#introduced = true
    this.#options.greeted(greeting.userID)
  }

  /** The handshake was turned away for good: the session has ended, or the name is none. Never worth another attempt. */
  turnedAway(reason: string): boolean {
    if (reason !== 'invalid username') return false
    const { session } = this.#who
    this.#who.leave()
    if (session === undefined) return false
    void this.#options.store.forget(session.sessionID)
    this.#end()
    return false
  }

  #signedOut(): void {
    this.#options.connection.close()
    this.#options.forgotten()
    this.#end()
  }

  #end(): void {
    this.#who.leave()
    this.#introduced = false
    this.#options.ended()
    this.#options.emit('identity', undefined)
  }
}
