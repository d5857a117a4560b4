/**
 * Writes down how far one has come and read: often enough for a reload, and seldom enough for a replay.
 *
 * What was read stays when the session ends, and a log that is begun anew usually ends all sessions. So each position is
 * kept with the epoch of its log, and dropped as soon as it is known that the log is another one.
 */

import type { ConversationKey, Epoch } from './contract'
import type { Place } from './cursor'
import type { Store } from './store'

const everyMs = 250

export class Keeper {
  readonly #store: Pick<Store, 'place' | 'read' | 'forgetRead'>
  #place: Place | undefined
  readonly #readAt: Map<ConversationKey, Place>
  /** Which log this is; undefined until its first replay has ended. */
  #epoch: Epoch | undefined
  #unwritten = new Set<ConversationKey>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    store: Pick<Store, 'place' | 'read' | 'forgetRead'>,
    readAt: ReadonlyMap<ConversationKey, Place>,
    epoch: Epoch | undefined,
  ) {
    this.#store = store
    this.#readAt = new Map(readAt)
    this.#epoch = epoch
  }

  readAt(key: ConversationKey): number | undefined {
    const place = this.#readAt.get(key)
    return place !== undefined && this.#mayBeOfThisLog(place) ? place.offset : undefined
  }

  /** A place of no known log is not worth keeping: see `epoch` in docs/contract.md. */
  place(place: Place): void {
    if (place.epoch === undefined) return
    this.#place = place
    this.#soon()
  }

  /** Where that is, if it is further than before. */
  read(key: ConversationKey, offset: number): Place | undefined {
    const place = this.#epoch === undefined ? { offset } : { offset, epoch: this.#epoch }
    if (!this.#advance(key, place)) return undefined
    this.#unwritten.add(key)
    this.#soon()
    return place
  }

  /** Another tab has read, and writes it down. Whether that is further than before, in this log. */
  readElsewhere(key: ConversationKey, place: Place): boolean {
    return this.#mayBeOfThisLog(place) && this.#advance(key, place)
  }

  /** Which log this is. `reset`: another one than before, whatever it is called; what was read was read in the old one. */
  log(epoch: Epoch | undefined, reset: boolean): void {
    const before = this.#epoch
    this.#epoch = epoch ?? before
    const stale = [...this.#readAt].filter(([, place]) => {
      return !this.#mayBeOfThisLog(place) || (reset && (place.epoch === undefined || place.epoch === before))
    })
    if (stale.length === 0) return
    for (const [key] of stale) this.#readAt.delete(key)
    void this.#store.forgetRead()
    this.#unwritten = new Set(this.#readAt.keys())
    this.#soon()
  }

  /** Forgets what is not written yet, and how far one has read but for this. */
  forget(readAt: ReadonlyMap<ConversationKey, Place> = new Map()): void {
    this.forgetPlace()
    this.#readAt.clear()
    for (const [key, place] of readAt) this.#readAt.set(key, place)
    this.#unwritten.clear()
  }

  /** Somebody else comes, or somebody later: of which log offsets will be is not known. */
  forgetPlace(): void {
    this.#place = undefined
    this.#epoch = undefined
  }

  /** Writes what is not written yet, and lets go of the timer. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#write()
  }

  #mayBeOfThisLog({ epoch }: Place): boolean {
    return epoch === undefined || this.#epoch === undefined || epoch === this.#epoch
  }

  #advance(key: ConversationKey, place: Place): boolean {
    if (place.offset <= (this.readAt(key) ?? 0)) return false
    this.#readAt.set(key, place)
    return true
  }

  #write(): void {
    if (this.#place !== undefined) void this.#store.place(this.#place)
    this.#place = undefined
    for (const key of this.#unwritten) {
      const place = this.#readAt.get(key)
      if (place?.epoch !== undefined) void this.#store.read(key, place)
    }
    this.#unwritten.clear()
  }

  /** At once, if the last time is long enough ago. */
  #soon(): void {
    if (this.#timer !== undefined) return
    this.#write()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#place !== undefined || this.#unwritten.size > 0) this.#soon()
    }, everyMs)
  }
}
