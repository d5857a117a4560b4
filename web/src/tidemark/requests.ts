/** What is asked of the gateway and answered by an ack: `history`, `room join`, `room leave`. */

import type { Refusal } from './contract'
import { rateLimitMs } from './pace'
import { RequestError } from './tidemark'
import type { Wire } from './wire'

/** Reads an ack; undefined if it has no known shape. */
export type Reader<T> = (reply: unknown) => T | Refusal | undefined

interface Pending {
  reject: (error: RequestError) => void
  timer: ReturnType<typeof setTimeout> | undefined
}

const offline = () => new RequestError('offline', 'there is no connection')

export class Requests {
  readonly #wire: Wire
  readonly #timeoutMs: number
  readonly #pending = new Set<Pending>()

  constructor(wire: Wire, timeoutMs: number) {
    this.#wire = wire
    this.#timeoutMs = timeoutMs
  }

  /**
   * Asks now, and again for as long as the gateway says `rate_limited`. `answered` is given the answer as soon as it is
   * there, before any later event of the connection, and even if it comes too late for the promise.
   *
   * @throws RequestError
   */
  ask<T extends object>(name: string, argument: object, read: Reader<T>, answered: (value: T) => void = () => {}): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#wire.connected) return reject(offline())
      const pending: Pending = { reject, timer: undefined }
      this.#pending.add(pending)
      const settle = (then: () => void) => {
        clearTimeout(pending.timer)
        this.#pending.delete(pending)
        then()
      }
      const again = () => {
        pending.timer = setTimeout(() => {
          settle(() => reject(new RequestError('timeout', 'the gateway did not answer in time')))
        }, this.#timeoutMs)
        this.#wire.emit(name, argument, (reply: unknown) => {
          const value = read(reply)
          if (value === undefined) return settle(() => reject(new RequestError('unknown', 'the answer cannot be understood')))
          if (!isRefusal(value)) {
            answered(value)
            return settle(() => resolve(value))
          }
          if (value.code !== 'rate_limited') return settle(() => reject(new RequestError(value.code, value.message)))
          if (!this.#pending.has(pending)) return
          clearTimeout(pending.timer)
          pending.timer = setTimeout(again, rateLimitMs(value.retryAfterMs))
        })
      }
      again()
    })
  }

  /** The connection is gone: its answers will not come. */
  lost(): void {
    for (const { reject, timer } of this.#pending) {
      clearTimeout(timer)
      reject(offline())
    }
    this.#pending.clear()
  }
}

function isRefusal(value: object): value is Refusal {
  return 'code' in value
}
