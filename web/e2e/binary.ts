/** Finds the product's binary, or builds it, once for all tests; they get its path by `inject('binary')`. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    binary: string
  }
}

const web = resolve(import.meta.dirname, '..')
const repository = resolve(web, '..')

export default function setUp(project: TestProject): (() => void) | void {
  const named = process.env.TIDEMARK_STANDALONE
  if (named !== undefined && named !== '') return project.provide('binary', mustExist(resolve(named)))
  const built = join(repository, 'bin', 'standalone')
  if (existsSync(built)) return project.provide('binary', built)

  const folder = mkdtempSync(join(tmpdir(), 'tidemark-e2e-binary-'))
  project.provide('binary', build(folder))
  return () => rmSync(folder, { recursive: true })
}

function mustExist(path: string): string {
  if (!existsSync(path)) throw new Error(`TIDEMARK_STANDALONE: there is no ${path}`)
  return path
}

/** The binary embeds the web client as it is when it is compiled. */
function build(folder: string): string {
  const binary = join(folder, 'standalone')
  execFileSync('npm', ['run', 'build'], { cwd: web, stdio: 'inherit' })
  execFileSync('go', ['build', '-o', binary, './services/standalone/cmd/standalone'], { cwd: repository, stdio: 'inherit' })
  return binary
}
