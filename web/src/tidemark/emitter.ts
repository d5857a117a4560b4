/**
 * Listeners by event name, called in the order in which they were added. `Events` maps a name to what it carries. What a
 * listener throws is reported as an uncaught error, and keeps neither other listeners nor the library from going on.
 */
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
      try {
        ;(listener as (value: Events[E]) => void)(value)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}

/** How the parts of the library tell the page. */
export type Emit<Events> = <E extends keyof Events>(name: E, value: Events[E]) => void
