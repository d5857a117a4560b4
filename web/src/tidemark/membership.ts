/**
 * Which rooms the present connection is in, made to be those that are wanted.
 *
 * For each room one request is under way at most. What is wanted may change meanwhile: it is looked at again when the
 * request has ended, so that a room that is left while it is being joined is left again.
 */

import * as parse from './parse'
import type { Reader, Requests } from './requests'
import { RequestError } from './tidemark'

export interface MembershipOptions {
  requests: Requests
  isConnected: () => boolean
  isWanted: (room: string) => boolean
  /** This connection is in it, and is sent what comes after `head`. Told before anything of the room comes. */
  joined: (room: string, head: number) => void
  /** The gateway will not have this connection in it. */
  refused: (room: string) => void
}

interface Asked {
  readonly join: boolean
  answer: Promise<void>
}

export class Membership {
  readonly #options: MembershipOptions
  #present = new Set<string>()
  /** Of rooms that were joined after the handshake: what is after it comes. Others come like everything else. */
  readonly #heads = new Map<string, number>()
  readonly #asked = new Map<string, Asked>()
  /** Of connections and users: what is answered to an earlier one says nothing about this one. */
  #generation = 0

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  has(room: string): boolean {
    return this.#present.has(room)
  }

  headOf(room: string): number {
    return this.#heads.get(room) ?? 0
  }

  isLeaving(room: string): boolean {
    return this.#asked.get(room)?.join === false
  }

  /** A connection begins that is in these rooms, or, with none, that of nobody. */
  begin(rooms: readonly string[]): void {
    this.#generation++
    this.#asked.clear()
    this.#heads.clear()
    this.#present = new Set(rooms)
  }

  /**
   * Joins or leaves, whichever is wanted; settles with the answer, or at once if there is nothing to ask for now.
   *
   * @throws RequestError
   */
  settle(room: string): Promise<void> {
    const { isConnected, isWanted } = this.#options
    const join = isWanted(room)
    const asked = this.#asked.get(room)
    if (asked !== undefined) return asked.join === join ? asked.answer : Promise.resolve()
    if (!isConnected() || join === this.#present.has(room)) return Promise.resolve()
    return this.#ask(room, join)
  }

  #ask(room: string, join: boolean): Promise<void> {
    const asked: Asked = { join, answer: Promise.resolve() }
    this.#asked.set(room, asked)
    asked.answer = join ? this.#askToJoin(room, asked) : this.#askToLeave(room, asked)
    return asked.answer
  }

  async #askToJoin(room: string, asked: Asked): Promise<void> {
    await this.#request('room join', room, asked, parse.joined, ({ head }) => {
      if (this.#present.has(room)) return // asked for twice, as the first answer took too long
      this.#present.add(room)
      this.#heads.set(room, head)
      if (this.#options.isWanted(room)) this.#options.joined(room, head)
    })
  }

  async #askToLeave(room: string, asked: Asked): Promise<void> {
    this.#present.delete(room)
    this.#heads.delete(room)
    await this.#request('room leave', room, asked, parse.done, () => {})
  }

  async #request<T extends object>(
    name: string, room: string, asked: Asked, read: Reader<T>, answered: (value: T) => void,
  ): Promise<void> {
    const generation = this.#generation
    try {
      await this.#options.requests.ask(name, { room }, read, (value) => {
        if (generation !== this.#generation) return
        answered(value)
        this.#ended(room, asked)
      })
    } catch (error) {
      if (generation === this.#generation) this.#failed(room, asked, error)
      throw error
    }
  }

  #failed(room: string, asked: Asked, error: unknown): void {
    if (asked.join && !isPassing(error)) this.#options.refused(room)
    const isOverdue = error instanceof RequestError && error.code === 'timeout'
    if (isOverdue || this.#options.isWanted(room) !== asked.join) return this.#ended(room, asked)
    this.#forget(room, asked) // to be asked for at the next handshake: at once it would be answered the same way
  }

  #ended(room: string, asked: Asked): void {
    this.#forget(room, asked)
    this.settle(room).catch(() => {}) // what becomes of it is told by `joined` and `refused`
  }

  #forget(room: string, asked: Asked): void {
    if (this.#asked.get(room) === asked) this.#asked.delete(room)
  }
}

/** Whether it says nothing about what the gateway thinks of it, and may be answered otherwise another time. */
export function isPassing(error: unknown): boolean {
  return error instanceof RequestError && ['offline', 'timeout', 'unknown'].includes(error.code)
}
