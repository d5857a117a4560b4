/** Tokens: who this is, as an identity provider of the page's says. Each handshake asks for one that is good now. */

export class Token {
  readonly #ask: () => string | Promise<string>
  /** One has been refused since the latest connection. */
  #refused = false

  constructor(ask: () => string | Promise<string>) {
    this.#ask = ask
  }

  /** Rejects if the page has none to give now. */
  async next(): Promise<string> {
    return this.#ask()
  }

  /** A handshake has been accepted. */
  accepted(): void {
    this.#refused = false
  }

  /** A handshake was refused. One more at once is worth while if the token had expired; whose clock is wrong is refused again. */
  anew(reason: string): boolean {
    if (reason !== 'token expired' || this.#refused) return false
    this.#refused = true
    return true
  }
}
