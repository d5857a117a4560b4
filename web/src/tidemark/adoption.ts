/** Takes over what tabs that are gone had still to send. */

import { inTime, patienceMs } from './patience'
import type { KeptEntry, Store } from './store'
import type { Tabs } from './tabs'

export class Adoption {
  readonly #store: Pick<Store, 'entries' | 'adopt'>
  readonly #tabs: Tabs
  readonly #adopted: (entries: KeptEntry[]) => void

  constructor(store: Pick<Store, 'entries' | 'adopt'>, tabs: Tabs, adopted: (entries: KeptEntry[]) => void) {
    this.#store = store
    this.#tabs = tabs
    this.#adopted = adopted
  }

  /**
   * Looks through what is kept: of tabs that are gone at once, of others some time after they will be (see `reloadMs`).
   * Resolves when the former is adopted, so that nothing is typed before it, unless that takes too long for the page to
   * wait; it is adopted all the same.
   */
  async begin(): Promise<void> {
    await inTime(this.#takeOver(), patienceMs).catch(() => {})
  }

  /** There is this other tab. */
  meet(tab: string): void {
    this.#tabs.watch(tab, () => void this.#adopt(tab))
  }

  async #takeOver(): Promise<void> {
    const entries = await this.#store.entries()
    const owners = new Set(entries.map(({ tab }) => tab))
    owners.delete(this.#tabs.id)
    await Promise.all([...owners].map(async (owner) => {
      if (await this.#tabs.isGone(owner)) await this.#adopt(owner)
      else this.meet(owner)
    }))
  }

  async #adopt(owner: string): Promise<void> {
    const entries = await this.#store.adopt(owner, this.#tabs.id)
    if (entries.length > 0) this.#adopted(entries)
  }
}
