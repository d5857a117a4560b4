/**
 * Finds the product's binary and the auditor's, or builds them, once for all tests; they get the paths by
 * `inject('binary')` and `inject('auditor')`.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    binary: string
    auditor: string
  }
}

const web = resolve(import.meta.dirname, '..')
const repository = resolve(web, '..')

export default function setUp(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-e2e-binary-'))
  project.provide('binary', find('standalone', folder))
  project.provide('auditor', find('auditor', folder))
  return () => rmSync(folder, { recursive: true })
}

function find(service: 'standalone' | 'auditor', folder: string): string {
  const variable = `TIDEMARK_${service.toUpperCase()}`
  const named = process.env[variable]
  if (named !== undefined && named !== '') return mustExist(variable, resolve(named))
  const built = join(repository, 'bin', service)
  return existsSync(built) ? built : build(service, folder)
}

function mustExist(variable: string, path: string): string {
  if (!existsSync(path)) throw new Error(`${variable}: there is no ${path}`)
  return path
}

/** The standalone embeds the web client as it is when it is compiled. */
function build(service: string, folder: string): string {
  const binary = join(folder, service)
  if (service === 'standalone') execFileSync('npm', ['run', 'build'], { cwd: web, stdio: 'inherit' })
  execFileSync('go', ['build', '-o', binary, `./services/${service}/cmd/${service}`], { cwd: repository, stdio: 'inherit' })
  return binary
}
