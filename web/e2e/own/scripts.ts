/** The scripts that a page loads, as the gateway serves them. */

import { gzipSync } from 'node:zlib'

export interface Script {
  path: string
  bytes: number
  gzipped: number
}

/** All scripts of the page and of their imports, static and dynamic. */
export async function scriptsOf(page: string): Promise<Script[]> {
  const found = new Map<string, Script>()
  const waiting = [...attributes(await text(page))].map((path) => new URL(path, page))
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (found.has(url.pathname)) continue
    const source = await text(url.href)
    found.set(url.pathname, { path: url.pathname, bytes: Buffer.byteLength(source), gzipped: gzipSync(source).length })
    for (const path of imports(source)) waiting.push(new URL(path, url))
  }
  return [...found.values()]
}

async function text(url: string): Promise<string> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return response.text()
}

/** Scripts and modules to be preloaded that a document names. */
function attributes(html: string): string[] {
  return [...html.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)="([^"]+\.js)"/g)].map(([, path]) => path ?? '')
}

function imports(source: string): string[] {
  return [...source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'`](\.{0,2}\/[^"'`]+\.js)["'`]/g)].map(([, path]) => path ?? '')
}
