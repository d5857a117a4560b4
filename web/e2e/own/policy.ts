/** What a browser asks for, and complains of, while it shows our page. */

import type { BrowserContext } from 'playwright-core'

export interface Watch {
  /** `host:port` of everything that was requested. */
  hosts: Set<string>
  /** Violations of the Content-Security-Policy, errors, and whatever is said on the console. */
  complaints: string[]
}

/** Call it before the pages are opened. */
export async function watch(context: BrowserContext): Promise<Watch> {
  const watched: Watch = { hosts: new Set(), complaints: [] }
  context.on('request', (request) => watched.hosts.add(new URL(request.url()).host))
  context.on('page', (page) => page.on('websocket', (socket) => watched.hosts.add(new URL(socket.url()).host)))
  context.on('console', (message) => watched.complaints.push(message.text()))
  await context.exposeBinding('complain', (_source, complaint: string) => watched.complaints.push(complaint))
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { complain } = window as unknown as { complain: (complaint: string) => void }
      complain(`${event.violatedDirective}: ${event.blockedURI} ${event.sample} at ${event.sourceFile}:${event.lineNumber}`)
    })
  })
  return watched
}
