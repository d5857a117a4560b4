/** Who there is: told by the gateway in full once per connection, and in changes from then on. */

import type { Emit } from './emitter'
import * as parse from './parse'
import type { ClientEvents } from './tidemark'
import type { Wire } from './wire'

export class People {
  /** Names by userID: one who is gone is told of by the userID alone. */
  readonly #names = new Map<string, string>()

  constructor(wire: Wire, emit: Emit<ClientEvents>) {
    wire.on('users', (value) => {
      const people = parse.people(value)
      if (people === undefined) return
      for (const { userID, username } of people) this.#names.set(userID, username)
      emit('people', people)
    })
    wire.on('user connected', (value) => {
      const person = parse.person(value)
      if (person === undefined) return
      this.#names.set(person.userID, person.username)
      emit('person', { ...person, connected: true })
    })
    wire.on('user disconnected', (userID) => {
      const username = typeof userID === 'string' ? this.#names.get(userID) : undefined
      if (typeof userID === 'string' && username !== undefined) emit('person', { userID, username, connected: false })
    })
  }

  forget(): void {
    this.#names.clear()
  }
}
