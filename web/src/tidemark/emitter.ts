/** Listeners by event name, called in the order in which they were added. `Events` maps a name to what it carries. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>()

  /** Returns the function that removes the listener again. */
  on<E extends keyof Events>(name: E, listener: (value: Events[E]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  emit<E extends keyof Events>(name: E, value: Events[E]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      ;(listener as (value: Events[E]) => void)(value)
    }
  }
}
