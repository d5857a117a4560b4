/** The network between a page, or all pages of a browser, and the gateway, which the test can cut. */

import type { BrowserContext, Page, WebSocketRoute } from 'playwright-core'

import { Gate } from './gate'

export class Network {
  #gate = new Gate()
  #down = false
  readonly #sockets = new Set<WebSocketRoute>()

  private constructor() {
    this.#gate.open()
  }

  /** Call it before the pages are opened. */
  static async on(pages: Page | BrowserContext): Promise<Network> {
    const network = new Network()
    await pages.routeWebSocket(/\/socket\.io\//, async (socket) => {
      await network.#gate.passed
      socket.connectToServer()
      network.#sockets.add(socket)
    })
    await pages.route(/\/socket\.io\/\?/, (request) => (network.#down ? request.abort() : request.continue()))
    return network
  }

  /** Ends the connections there are; new ones do not get through until restore(). */
  async cut(): Promise<void> {
    this.#down = true
    this.#gate = new Gate()
    const sockets = [...this.#sockets]
    this.#sockets.clear()
    await Promise.all(sockets.map((socket) => socket.close()))
  }

  restore(): void {
    this.#down = false
    this.#gate.open()
  }
}
