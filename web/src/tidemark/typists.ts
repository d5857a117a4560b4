/** Who types, others and oneself. Nothing of it is stored anywhere, and what gets lost ends by itself. */

import { keyOf, type Conversation, type ConversationKey, type Typing } from './contract'
import type { Emit } from './emitter'
import * as parse from './parse'
import type { ClientEvents } from './tidemark'
import type { Wire } from './wire'

/** How often one says that one types, and how long others believe it. */
const renewMs = 3_000
const endsMs = 6_000

export class Typists {
  readonly #wire: Wire
  readonly #emit: Emit<ClientEvents>
  /** Others who type, by conversation and person, with what ends it. */
  readonly #others = new Map<string, { typing: Typing; timer: ReturnType<typeof setTimeout> }>()
  /** When one last said so, by conversation. */
  readonly #saidAt = new Map<ConversationKey, number>()

  constructor(wire: Wire, emit: Emit<ClientEvents>, self: () => string | undefined) {
    this.#wire = wire
    this.#emit = emit
    const listen = (typing: boolean) => (value: unknown) => {
      const parsed = parse.typing(value, typing)
      if (parsed === undefined || (parsed.userID !== undefined && parsed.userID === self())) return
      if (typing) this.#begin(parsed)
      else this.#end(idOf(parsed))
    }
    wire.on('typing', listen(true))
    wire.on('stop typing', listen(false))
  }

  /** Oneself types, or no longer does. */
  say(conversation: Conversation, typing: boolean): void {
    if (!this.#wire.connected) return
    const key = keyOf(conversation)
    const saidAt = this.#saidAt.get(key)
    const where = 'room' in conversation ? { room: conversation.room } : { to: conversation.user }
    if (!typing) {
      if (this.#saidAt.delete(key)) this.#wire.emit('stop typing', where)
      return
    }
    if (saidAt !== undefined && performance.now() - saidAt < renewMs) return
    this.#saidAt.set(key, performance.now())
    this.#wire.emit('typing', where)
  }

  /** The connection is gone: nobody is known to type, and nobody knows that one does. */
  lost(): void {
    this.#saidAt.clear()
    for (const id of [...this.#others.keys()]) this.#end(id)
  }

  #begin(typing: Typing): void {
    const id = idOf(typing)
    const known = this.#others.get(id)
    clearTimeout(known?.timer)
    this.#others.set(id, { typing, timer: setTimeout(() => this.#end(id), endsMs) })
    if (known === undefined) this.#emit('typing', typing)
  }

  #end(id: string): void {
    const known = this.#others.get(id)
    if (known === undefined) return
    clearTimeout(known.timer)
    this.#others.delete(id)
    this.#emit('typing', { ...known.typing, typing: false })
  }
}

function idOf({ conversation, userID, username }: Typing): string {
  return JSON.stringify([keyOf(conversation), userID ?? null, username])
}
