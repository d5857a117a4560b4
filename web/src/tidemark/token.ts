/** Tokens: who this is, as an identity provider of the page's says. Each handshake asks for one that is good now. */

export class Token {
  readonly #ask: () => string | Promise<string>
  /** That of the latest handshake. */
  #shown: string | undefined
  /** The latest one that was refused. */
  #refused: string | undefined

  constructor(ask: () => string | Promise<string>) {
    this.#ask = ask
  }

  /** Rejects if the page has none to give now. */
  async next(): Promise<string> {
    return (this.#shown = await this.#ask())
  }

  /** A handshake was refused. One more is worth while if the token had expired, and only once for each token. */
  anew(reason: string): boolean {
    if (reason !== 'token expired' || this.#refused === this.#shown) return false
    this.#refused = this.#shown
    return true
  }
}
