/**
 * Which rooms one is in, and from where on each conversation is followed.
 *
 * A connection is in the rooms that its handshake names and in those it joins later, so what is kept here is named at
 * every handshake. That one join too many is noticed at the next handshake only must not lock the user out: rooms that no
 * connection has taken yet are given up first.
 */

import type { Conversation } from './contract'
import type { Emit } from './emitter'
import * as parse from './parse'
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
  #names: string[]
  /** Those that the handshake under way names. */
  #named: readonly string[] = []
  /** Those that the present connection is in. */
  #present = new Set<string>()
  /** Of rooms that the present connection has joined later: what is after it comes. Others come like everything else. */
  readonly #heads = new Map<string, number>()
  /** Those that some connection has been in. */
  readonly #proven = new Set<string>()
  #followed = new Set<string>()
  #directsFollowed = false
  readonly #joining = new Map<string, Promise<void>>()

  constructor(options: RoomsOptions) {
    this.#options = options
    this.#names = [...options.kept]
  }

  get names(): readonly string[] {
    return this.#names
  }

  has(room: string): boolean {
    return this.#names.includes(room)
  }

  /** What to name in a handshake. */
  handshake(): readonly string[] {
    return (this.#named = [...this.#names])
  }

  /** The gateway has taken the handshake. What has changed since is made up for. */
  connected(): void {
    this.#present = new Set(this.#named)
    this.#heads.clear()
    for (const room of this.#named) this.#proven.add(room)
    for (const room of this.#named) if (!this.has(room)) void this.#askToLeave(room).catch(() => {})
    for (const room of this.#names) if (!this.#present.has(room)) void this.#askToJoin(room, false).catch(() => this.#remove(room))
  }

  /** The gateway takes no handshake with these rooms. False: there are none left that could be the reason. */
  giveUp(): boolean {
    const doubtful = this.#names.filter((room) => !this.#proven.has(room))
    const given = doubtful.length > 0 ? doubtful : this.#names.filter((room) => !firstRooms.includes(room))
    for (const room of given) this.#remove(room)
    return given.length > 0
  }

  follow(after: number, anew: boolean): void {
    if (anew) this.#unfollow()
    if (!this.#directsFollowed) this.#options.emit('following', { after })
    this.#directsFollowed = true
    for (const room of this.#names) this.#followRoom(room, Math.max(after, this.#heads.get(room) ?? 0))
  }

  /** Another user begins: nothing is followed; with `names`, in these rooms. */
  forget(names = this.names): void {
    this.#names = [...names]
    this.#present.clear()
    this.#proven.clear()
    this.#unfollow()
  }

  /** @throws RequestError */
  join(room: string): Promise<void> {
    const length = [...room].length
    if (length === 0 || length > longestName) {
      return Promise.reject(new RequestError('invalid_payload', `a room's name has 1 to ${longestName} characters`))
    }
    return this.#join(room, true)
  }

  /** Another tab has joined. */
  async joinedElsewhere(room: string): Promise<void> {
    await this.#join(room, false).catch(() => {}) // the other tab has it in its list, and so have later pages
  }

  /** @throws RequestError */
  async leave(room: string): Promise<void> {
    if (!this.has(room)) return
    this.#remove(room)
    this.#options.post({ type: 'left', room })
    await this.#askToLeave(room)
  }

  /** Another tab has left. */
  async leftElsewhere(room: string): Promise<void> {
    if (!this.has(room)) return
    this.#drop(room)
    await this.#askToLeave(room).catch(() => {})
  }

  #join(room: string, tell: boolean): Promise<void> {
    if (this.has(room)) return Promise.resolve()
    const joining = this.#joining.get(room) ?? this.#askToJoin(room, tell).finally(() => this.#joining.delete(room))
    this.#joining.set(room, joining)
    return joining
  }

  async #askToJoin(room: string, tell: boolean): Promise<void> {
    if (!this.#options.isConnected()) return this.#add(room, tell)
    try {
      await this.#options.requests.ask('room join', { room }, parse.joined, ({ head }) => {
        this.#add(room, tell)
        this.#present.add(room)
        this.#proven.add(room)
        this.#heads.set(room, head)
        if (this.#directsFollowed) this.#followRoom(room, head)
      })
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'offline') throw error
      this.#add(room, tell)
    }
  }

  async #askToLeave(room: string): Promise<void> {
    if (!this.#options.isConnected()) return
    try {
      await this.#options.requests.ask('room leave', { room }, parse.done)
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'offline') throw error
    }
  }

  #followRoom(room: string, after: number): void {
    if (this.#followed.has(room) || !this.#present.has(room)) return
    this.#followed.add(room)
    this.#options.emit('following', { conversation: { room }, after })
  }

  #unfollow(): void {
    this.#followed.clear()
    this.#directsFollowed = false
  }

  #add(room: string, tell: boolean): void {
    if (this.has(room)) return
    this.#names.push(room)
    if (!tell) return
    void this.#options.store.join(room)
    this.#options.post({ type: 'joined', room })
  }

  #remove(room: string): void {
    void this.#options.store.leave(room)
    this.#drop(room)
  }

  #drop(room: string): void {
    this.#names = this.#names.filter((name) => name !== room)
    this.#present.delete(room)
    this.#heads.delete(room)
    this.#proven.delete(room)
    this.#followed.delete(room)
    const conversation: Conversation = { room }
    this.#options.emit('left', conversation)
  }
}
