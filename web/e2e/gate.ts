/** Something that waits until the test lets it go on. */
export class Gate {
  readonly passed: Promise<void>
  #open!: () => void

  constructor() {
    this.passed = new Promise((resolve) => (this.#open = resolve))
  }

  open(): void {
    this.#open()
  }
}
