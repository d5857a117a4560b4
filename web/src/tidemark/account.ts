/** Signing in and out: here, in another tab, and because the gateway knows a session no longer. */

import type { Connection } from './connection'
import type { Auth, Session } from './contract'
import type { Emit } from './emitter'
import { laterOf, type KeptSession, type Store } from './store'
import { forgetUser } from './signout'
import type { TabMessage } from './tabmessage'
import type { ClientEvents, Identity } from './tidemark'
import { Who } from './who'

export interface AccountOptions {
  store: Store
  emit: Emit<ClientEvents>
  connection: Pick<Connection, 'open' | 'close'>
  /** Tells the other tabs. */
  post: (message: TabMessage) => void
  /** Each handshake has a token that says who this is. */
  byToken: boolean
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
  /** When the latest sign-in that is known of was. */
  #latest: number
  /** `identity` has been told since somebody signed in. */
  #introduced = false

  constructor(kept: KeptSession | undefined, options: AccountOptions) {
    this.#who = new Who(kept, options.byToken)
    this.#latest = kept?.since ?? -Infinity
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

  come(): void {
    this.#who.come()
  }

  signIn(username: string): void {
    if (this.#options.byToken) throw new Error('who signs in, a token says: call connect()')
    const { session } = this.#who
    if (this.#who.isSomebody) this.#options.connection.close()
    if (session !== undefined) {
      void this.#options.store.forget(session.sessionID)
      this.#end()
    }
    this.#who.enter(username)
    this.#options.connection.open()
  }

  /** @throws if the store may still have something of the user */
  async signOut(): Promise<void> {
    const { identity } = this
    if (identity !== undefined) this.#options.post({ type: 'signed out', userID: identity.userID })
    this.#signedOut()
    await this.#options.store.clear()
  }

  signedInElsewhere(session: KeptSession): void {
    if (this.#options.byToken) return // the next handshake's token says it
    const known = this.#who.session
    if (known?.userID === session.userID || (known !== undefined && laterOf(known, session) === known)) return
    this.#replace(session)
  }

  async signedOutElsewhere(userID: string): Promise<void> {
    const { session } = this.#who
    if (session?.userID !== userID) return
    this.#signedOut()
    await forgetUser(this.#options.store, session)
  }

  /**
   * The store was read again. If `loaded` was true of it at first and another tab has signed in or out since, perhaps
   * before this one listened, it is what is kept `now` that counts. Answers whether it is so.
   */
  readAgain(loaded: KeptSession | undefined, now: KeptSession | undefined): boolean {
    const { session, name } = this.#who
    if (session !== loaded || name !== undefined || now?.sessionID === loaded?.sessionID) return false
    this.#replace(now)
    return true
  }

  /** The first event of each connection: the gateway says who this is. */
  greeted(greeting: Session | undefined): void {
    const { session: known, name } = this.#who
    if (greeting === undefined) return
    const { userID } = greeting
    const same = known?.userID === userID
    const username = this.#options.byToken ? (greeting.username ?? (same ? known.username : userID)) : (known?.username ?? name)
    if (username === undefined) return
    const sessionID = greeting.sessionID || `token of ${userID}`
    if (known?.sessionID !== sessionID || !same || known.username !== username) {
      const session = { sessionID, userID, username, since: Math.max(Date.now(), this.#latest + 1) } // clocks may be set back
      void this.#options.store.signIn(session)
      this.#options.post({ type: 'signed in', session })
      // The token is of somebody else now, and this handshake named the rooms of whom it was.
      if (this.#options.byToken && known !== undefined && !same) return this.#replace(session)
      this.#is(session)
      this.#introduced = false
    }
    if (!this.#introduced) this.#options.emit('identity', this.identity)
    this.#introduced = true
    this.#options.greeted(userID)
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

  #replace(session: KeptSession | undefined): void {
    this.#options.connection.close()
    if (this.isSomebody) this.#end() // by a name only, too: what was typed under it is not to be said under another
    if (session === undefined) return
    this.#is(session)
    this.#options.known(session.userID)
    if (this.#options.isOpen()) this.#options.connection.open()
  }

  #is(session: KeptSession): void {
    this.#who.is(session)
    this.#latest = Math.max(this.#latest, session.since)
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
