/**
 * Which rooms one wants to be in, and from where on each conversation is followed.
 *
 * A connection is in the rooms that its handshake names and in those it joins later (see membership.ts), so what is kept
 * here is named at every handshake. Where the gateway takes no such handshake, one room too many for instance, fewer are
 * named, and the others joined one by one: then only those are lost that are refused.
 */

import type { Conversation } from './contract'
import type { Emit } from './emitter'
import { isPassing, Membership } from './membership'
import type { Requests } from './requests'
import { firstRooms, type Store } from './store'
import { RequestError, type ClientEvents } from './tidemark'

const longestName = 128

export interface RoomsOptions {
  kept: readonly string[]
  store: Pick<Store, 'join' | 'leave'>
  requests: Requests
  emit: Emit<ClientEvents>
  /** Tells the other tabs. */
  post: (message: { type: 'joined' | 'left'; room: string }) => void
  isConnected: () => boolean
}

export class Rooms {
  readonly #options: RoomsOptions
  readonly #membership: Membership
  #names: string[]
  /** What is meant to be: the names, and what is being joined for the first time. */
  readonly #wanted: Set<string>
  /** Joined in this tab, and not yet told to the others and to the store. */
  readonly #untold = new Set<string>()
  /** Those that the handshake under way names. */
  #named: readonly string[] = []
  /** The next handshake names no others; undefined: all. */
  #nameable: ReadonlySet<string> | undefined
  /** Those that some connection has been in. */
  readonly #proven = new Set<string>()
  readonly #followed = new Set<string>()
  #directsFollowed = false

  constructor(options: RoomsOptions) {
    this.#options = options
    this.#names = [...options.kept]
    this.#wanted = new Set(options.kept)
    this.#membership = new Membership({
      requests: options.requests,
      isConnected: options.isConnected,
      isWanted: (room) => this.#wanted.has(room),
      joined: (room, head) => this.#joined(room, head),
      refused: (room) => (this.has(room) ? this.#remove(room) : this.#drop(room)),
    })
  }

  get names(): readonly string[] {
    return this.#names
  }

  has(room: string): boolean {
    return this.#names.includes(room)
  }

  /** What to name in a handshake. */
  handshake(): readonly string[] {
    return (this.#named = this.#names.filter((room) => this.#nameable?.has(room) ?? true))
  }

  /** The gateway has taken the handshake. What it did not name, and what has changed since, is made up for. */
  connected(): void {
    const named = this.#named
    this.#nameable = undefined
    this.#membership.begin(named)
    for (const room of named) this.#proven.add(room)
    for (const room of this.#names) if (!named.includes(room)) this.#followed.delete(room)
    for (const room of new Set([...named, ...this.#wanted])) this.#settle(room)
  }

  /** The gateway takes no handshake with these rooms. False: there are none left that could be the reason. */
  nameFewer(): boolean {
    const firstOr = (also: ReadonlySet<string>) => this.#named.filter((room) => firstRooms.includes(room) || also.has(room))
    const fewer = [firstOr(this.#proven), firstOr(new Set())].find(({ length }) => length < this.#named.length)
    this.#nameable = fewer && new Set(fewer)
    return fewer !== undefined
  }

  follow(after: number, anew: boolean): void {
    if (anew) this.#unfollow()
    if (!this.#directsFollowed) this.#options.emit('following', { after })
    this.#directsFollowed = true
    for (const room of this.#names) this.#followRoom(room, Math.max(after, this.#membership.headOf(room)))
  }

  /** Another user begins: nothing is followed; with `names`, in these rooms. */
  forget(names = this.names): void {
    this.#names = [...names]
    this.#wanted.clear()
    for (const room of names) this.#wanted.add(room)
    this.#untold.clear()
    this.#named = []
    this.#nameable = undefined
    this.#membership.begin([])
    this.#proven.clear()
    this.#unfollow()
  }

  /** @throws RequestError */
  async join(room: string): Promise<void> {
    const length = [...room].length
    if (length === 0 || length > longestName) {
      throw new RequestError('invalid_payload', `a room's name has 1 to ${longestName} characters`)
    }
    if (!this.has(room)) this.#untold.add(room)
    await this.#join(room)
  }

  /** Another tab has joined. */
  async joinedElsewhere(room: string): Promise<void> {
    await this.#join(room).catch(() => {}) // the other tab has it in its list, and so have later pages
  }

  /** @throws RequestError */
  async leave(room: string): Promise<void> {
    if (!this.#wanted.has(room)) return
    this.#remove(room)
    this.#options.post({ type: 'left', room })
    await this.#membership.settle(room).catch(orPassing)
  }

  /** Another tab has left. */
  leftElsewhere(room: string): void {
    if (!this.#wanted.has(room)) return
    this.#drop(room)
    this.#settle(room)
  }

  /** Whoever joins without a connection, or gets no answer, is in the room as soon as there is one. */
  async #join(room: string): Promise<void> {
    if (this.has(room)) return
    this.#wanted.add(room)
    if (!this.#options.isConnected() || this.#membership.isLeaving(room)) return this.#add(room)
    await this.#membership.settle(room).catch((error: unknown) => {
      orPassing(error)
      if (this.#wanted.has(room)) this.#add(room)
    })
  }

  #settle(room: string): void {
    this.#membership.settle(room).catch(() => {}) // what becomes of it is told
  }

  #joined(room: string, head: number): void {
    this.#add(room)
    this.#proven.add(room)
    if (this.#directsFollowed) this.#followRoom(room, head)
  }

  #followRoom(room: string, after: number): void {
    if (this.#followed.has(room) || !this.#membership.has(room)) return
    this.#followed.add(room)
    this.#options.emit('following', { conversation: { room }, after })
  }

  #unfollow(): void {
    this.#followed.clear()
    this.#directsFollowed = false
  }

  #add(room: string): void {
    if (!this.has(room)) this.#names.push(room)
    if (!this.#untold.delete(room)) return
    void this.#options.store.join(room)
    this.#options.post({ type: 'joined', room })
  }

  #remove(room: string): void {
    void this.#options.store.leave(room)
    this.#drop(room)
  }

  #drop(room: string): void {
    const conversation: Conversation = { room }
    const wasIn = this.has(room)
    this.#wanted.delete(room)
    this.#untold.delete(room)
    this.#names = this.#names.filter((name) => name !== room)
    this.#proven.delete(room)
    this.#followed.delete(room)
    if (wasIn) this.#options.emit('left', conversation)
  }
}

/** @throws what is the gateway's last word */
function orPassing(error: unknown): void {
  if (!isPassing(error)) throw error
}
