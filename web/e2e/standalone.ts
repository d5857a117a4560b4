/** One run of the product on a data directory and ports of its own; it can be killed and started again on both. */

import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** Further settings, by their environment names. */
export type Settings = Record<`TIDEMARK_${string}`, string>

const readyWithinMs = 15_000
const pollMs = 20
/** An orderly shutdown may take 10 s. */
const stoppedWithinMs = 12_000
const keptLogBytes = 64 * 1024

/** Those running now, which a test run that is broken off takes with it. */
const running = new Set<ChildProcess>()
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))

export class Standalone {
  readonly url: string
  /** Of the log, for the auditor. */
  readonly natsURL: string
  readonly #binary: string
  readonly #folder: string
  readonly #environment: NodeJS.ProcessEnv
  #process: ChildProcess | undefined
  #log = ''

  private constructor(binary: string, folder: string, settings: Settings) {
    const gateway = address()
    const nats = address()
    this.url = `http://${gateway}`
    this.natsURL = `nats://${nats}`
    this.#binary = binary
    this.#folder = folder
    this.#environment = {
      ...withoutTidemark(process.env),
      TIDEMARK_DATA_DIR: join(folder, 'data'),
      TIDEMARK_GATEWAY_LISTEN: gateway,
      TIDEMARK_PERSISTER_LISTEN: address(),
      TIDEMARK_NATS_LISTEN: nats,
      ...settings,
    }
  }

  /** Starts the binary on an empty log, and returns when it is ready. */
  static async start(binary: string, settings: Settings = {}): Promise<Standalone> {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-e2e-'))
    const server = new Standalone(binary, folder, settings)
    try {
      await server.start()
    } catch (error) {
      await server.remove()
      throw error
    }
    return server
  }

  /** What the process has written, newest part. */
  get log(): string {
    return this.#log
  }

  /** Starts the process again after kill() or stop(), from then on with these settings as well. */
  async start(settings: Settings = {}): Promise<void> {
    if (this.#process !== undefined) throw new Error('it is running')
    Object.assign(this.#environment, settings)
    const started = spawn(this.#binary, [], { cwd: this.#folder, env: this.#environment, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = started
    running.add(started)
    started.once('exit', () => running.delete(started))
    for (const stream of [started.stdout, started.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#log = (this.#log + text).slice(-keptLogBytes)))
    }
    started.once('error', (error) => (this.#log += String(error)))
    await this.#ready(started)
  }

  async #ready(started: ChildProcess): Promise<void> {
    const deadline = Date.now() + readyWithinMs
    while (!(await answers(`${this.url}/readyz`))) {
      if (ended(started)) throw new Error(`the server ended while it started:\n${this.#log}`)
      if (Date.now() > deadline) throw new Error(`the server was not ready in time:\n${this.#log}`)
      await pause(pollMs)
    }
  }

  /** As a crash: kill -9. Returns when the process is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** An orderly shutdown. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Removes the data of a process that has ended: the next one begins another log. */
  forget(): void {
    rmSync(join(this.#folder, 'data'), { recursive: true })
  }

  /** Ends the process and removes its data. */
  async remove(): Promise<void> {
    if (this.#process !== undefined) await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    if (child === undefined) throw new Error('it is not running')
    if (!ended(child)) {
      const exited = once(child, 'exit', { signal: AbortSignal.timeout(stoppedWithinMs) })
      child.kill(signal)
      await exited
    }
    this.#process = undefined
  }
}

function ended(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok
  } catch {
    return false
  }
}

/** The developer's own settings are not the test's. */
export function withoutTidemark(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('TIDEMARK_')))
}

/**
 * One that nobody else uses and that is free again after a kill: a loopback address of its own, where there are many, and
 * a port that no outgoing connection has.
 */
function address(): string {
  const host = process.platform === 'linux' ? `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}` : '127.0.0.1'
  return `${host}:${randomInt(20_000, 32_000)}`
}
