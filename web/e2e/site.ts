/** A web site of its own: another origin than the gateway's, as for pages that their owners serve themselves. */

import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { basename, dirname, join } from 'node:path'

const pages = join(import.meta.dirname, 'pages')
const officialClient = join(dirname(createRequire(import.meta.url).resolve('socket.io-client/package.json')), 'dist')

/** Its pages are those of pages/, each with the official client beside it. */
const answer: RequestListener = (request, response) => {
  const name = basename(new URL(request.url ?? '/', 'http://site').pathname)
  const file = join(name.endsWith('.js') ? officialClient : pages, name)
  if (name === '' || !existsSync(file)) response.writeHead(404).end()
  else response.setHeader('Content-Type', name.endsWith('.js') ? 'text/javascript' : 'text/html').end(readFileSync(file))
}

/** Serves until the promise that `use` returns is done. */
export async function serveSite(use: (origin: string) => Promise<void>): Promise<void> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  server.closeAllConnections()
  await once(server.close(), 'close')
}
