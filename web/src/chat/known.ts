/** What this page knows of people and conversations, as the client's events tell it. */

import {
  keyOf, RequestError,
  type Conversation, type ConversationKey, type Message, type OutboxEntry, type Person, type PersonWithMessages, type Tidemark,
} from '../tidemark'
import { peopleOrder, roomOrder } from './lines'
import { loadOlder } from './past'
import { Thread } from './thread'
import type { Line } from './types'
import { Unread } from './unread'

/** What may be another than before: rooms() and people(), or only what a thread has to show. */
export type What = 'lists' | 'thread'

export class Known {
  readonly #client: Tidemark
  readonly #changed: (what: What) => void
  readonly #threads = new Map<ConversationKey, Thread>()
  /** By userID, in the order in which they were last listed: sorting what is nearly sorted is cheap. */
  #people = new Map<string, Person>()
  /** From where on direct conversations are followed. */
  #directAfter: number | undefined
  #priming = false

  constructor(client: Tidemark, changed: (what: What) => void) {
    this.#client = client
    this.#changed = changed
    client.on('message', (message) => this.#message(message))
    client.on('following', ({ conversation, after }) => this.#follow(conversation, after))
    client.on('left', (conversation) => this.#threads.delete(keyOf(conversation)))
    client.on('people', (people) => this.#everybody(people))
    client.on('person', (person) => {
      this.#people.set(person.userID, person)
      if (!person.connected) for (const { typing } of this.#threads.values()) typing.delete(person.userID)
    })
    client.on('typing', ({ conversation, userID, username, typing }) => {
      const who = this.thread(conversation).typing
      if (typing) who.set(userID ?? username, username)
      else who.delete(userID ?? username)
    })
    client.on('outbox', (entry) => {
      if (entry.state === 'stored') this.thread(entry.conversation).stored({ ...entry })
      changed(entry.state === 'refused' ? 'lists' : 'thread')
    })
    client.on('read', ({ conversation, offset }) => this.thread(conversation).unread.readTo(offset))
    for (const name of ['message', 'left', 'people', 'person', 'read', 'discarded'] as const) client.on(name, () => changed('lists'))
    for (const name of ['following', 'typing'] as const) client.on(name, () => changed('thread'))
  }

  thread(conversation: Conversation): Thread {
    const key = keyOf(conversation)
    let thread = this.#threads.get(key)
    if (thread === undefined) {
      thread = new Thread(conversation)
      if ('user' in conversation && this.#directAfter !== undefined) thread.follow(this.#directAfter)
      this.#threads.set(key, thread)
    }
    return thread
  }

  title(conversation: Conversation): string {
    if ('room' in conversation) return conversation.room
    return this.#people.get(conversation.user)?.username ?? conversation.user
  }

  /** Those one is in, and those that one's own refused messages are for. */
  rooms(): Line[] {
    const names = new Set(this.#client.rooms)
    for (const { conversation } of this.#refused()) if ('room' in conversation) names.add(conversation.room)
    return [...names].map((room) => this.#line({ room }, room)).sort(roomOrder)
  }

  people(): Line[] {
    for (const { conversation } of this.#refused()) {
      if ('user' in conversation) this.#meet(conversation.user, conversation.user, false)
    }
    const people = [...this.#people.values()]
    const lines = people.map((person) => this.#line({ user: person.userID }, person.username, person)).sort(peopleOrder)
    this.#people = new Map(lines.flatMap(({ person }) => (person === undefined ? [] : [[person.userID, person]])))
    return lines
  }

  /** One's own messages of a thread that are not among the others yet, in the order of typing. */
  waiting(thread: Thread): OutboxEntry[] {
    const own = this.#client.outbox.filter((entry) => entry.state !== 'stored' && keyOf(entry.conversation) === thread.key)
    return [...thread.settling, ...own.map((entry) => ({ ...entry }))]
  }

  /** How many of one's own messages to a conversation are not stored. */
  unsent(conversation: Conversation): number {
    return this.#client.outbox.filter((entry) => entry.state !== 'stored' && keyOf(entry.conversation) === keyOf(conversation)).length
  }

  /** Puts what has come in its place, and bounds what nobody looks at. */
  flush(opened: Thread | undefined): void {
    for (const thread of this.#threads.values()) {
      thread.flush()
      if (thread !== opened) thread.trim(false)
    }
  }

  /** Somebody else. */
  startAnew(): void {
    this.#threads.clear()
    this.#people.clear()
    this.#directAfter = undefined
  }

  /** Another log: all conversations go on, and nothing is known of them. */
  forget(): void {
    for (const thread of this.#threads.values()) thread.forget()
    this.#directAfter = undefined
  }

  /** A replay has ended: what was stored up to there has come. */
  settled(through: number): void {
    for (const thread of this.#threads.values()) thread.settled(through)
  }

  /** Loads the newest of each room, so that its unread messages and its place in the list are known. */
  async prime(opened: Thread | undefined): Promise<void> {
    if (this.#priming) return
    this.#priming = true
    try {
      for (const thread of [...this.#threads.values()]) if (thread !== opened) await this.#primeOne(thread)
    } catch (error) {
      if (!(error instanceof RequestError)) throw error // live again, it is tried again
    } finally {
      this.#priming = false
    }
  }

  /** One that cannot be read keeps no other from being read; without a connection none can. */
  async #primeOne(thread: Thread): Promise<void> {
    const { span, conversation, primed } = thread
    if (primed || span === undefined || !('room' in conversation)) return
    try {
      if (span.older) await loadOlder(this.#client, conversation, span, Unread.most)
      this.primed(thread)
    } catch (error) {
      if (!(error instanceof RequestError) || error.code === 'offline') throw error
    }
  }

  /** The newest page of a thread is there. */
  primed(thread: Thread): void {
    thread.primed = true
    thread.flush()
    const messages = thread.span?.messages ?? []
    thread.newest = Math.max(thread.newest, messages.at(-1)?.offset ?? 0)
    this.#countUnread(thread, messages.slice(-Unread.most))
    this.#changed('lists')
  }

  #message(message: Message): void {
    const thread = this.thread(message.conversation)
    if ('user' in message.conversation && message.from === message.conversation.user && message.username !== undefined) {
      this.#meet(message.from, message.username, true)
    }
    thread.take(message)
    this.#countUnread(thread, [message])
    if (message.from !== undefined) thread.typing.delete(message.from)
  }

  /** Somebody who is not on the list, which has an end, has a line all the same. */
  #meet(userID: string, username: string, connected: boolean): void {
    if (!this.#people.has(userID)) this.#people.set(userID, { userID, username, connected })
  }

  #refused(): OutboxEntry[] {
    return this.#client.outbox.filter(({ state }) => state === 'refused')
  }

  #follow(conversation: Conversation | undefined, after: number): void {
    if (conversation === undefined) {
      this.#directAfter = after
      for (const thread of this.#threads.values()) if ('user' in thread.conversation) thread.follow(after)
      return
    }
    this.thread(conversation).follow(after)
    // Who comes into a room has not missed what was said before.
    if (this.#client.readAt(conversation) === undefined) this.#client.read(conversation, after)
  }

  #everybody(people: PersonWithMessages[]): void {
    this.#people.clear()
    for (const { messages, ...person } of people) {
      this.#people.set(person.userID, person)
      if (messages.length === 0) continue
      const thread = this.thread({ user: person.userID })
      thread.newest = Math.max(thread.newest, messages.at(-1)?.offset ?? 0)
      this.#countUnread(thread, messages)
    }
  }

  #countUnread(thread: Thread, messages: readonly Message[]): void {
    const readAt = this.#client.readAt(thread.conversation) ?? 0
    const me = this.#client.identity?.userID
    const fresh = messages.filter(({ offset, from }) => offset > readAt && (from === undefined || from !== me))
    thread.unread.add(...fresh.map(({ offset }) => offset))
  }

  #line(conversation: Conversation, title: string, person?: Person): Line {
    const thread = this.#threads.get(keyOf(conversation))
    const line: Line = {
      key: keyOf(conversation), conversation, title, unread: thread?.unread.count ?? 0, newest: thread?.newest ?? 0,
      refused: this.#refused().filter((entry) => keyOf(entry.conversation) === keyOf(conversation)).length,
      self: person !== undefined && person.userID === this.#client.identity?.userID,
    }
    if (person !== undefined) line.person = person
    return line
  }
}
