/** The network between one page and the gateway, which the test can cut. Call on() before the page is opened. */

import type { Page, WebSocketRoute } from 'playwright-core'

import { Gate } from './gate'

export class Network {
  #gate = new Gate()
  readonly #sockets = new Set<WebSocketRoute>()

  private constructor() {
    this.#gate.open()
  }

  static async on(page: Page): Promise<Network> {
    const network = new Network()
    await page.routeWebSocket(/\/socket\.io\//, async (socket) => {
      await network.#gate.passed
      socket.connectToServer()
      network.#sockets.add(socket)
    })
    return network
  }

  /** Ends the connections there are; new ones do not get through until restore(). */
  async cut(): Promise<void> {
    this.#gate = new Gate()
    const sockets = [...this.#sockets]
    this.#sockets.clear()
    await Promise.all(sockets.map((socket) => socket.close()))
  }

  restore(): void {
    this.#gate.open()
  }
}
