import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const gateway = process.env.GATEWAY_URL ?? 'http://127.0.0.1:3000'

/**
 * Puts the official client's browser files, with their source maps, into dist/socket.io/: the gateway serves them at
 * /socket.io/, where pages written for any Socket.IO server look for them.
 */
function officialClient(): Plugin {
  return {
    name: 'tidemark:official-client',
    apply: 'build',
    generateBundle() {
      const entry = fileURLToPath(import.meta.resolve('socket.io-client'))
      const dist = join(packageRoot(entry, 'socket.io-client'), 'dist')
      for (const name of readdirSync(dist)) {
        if (!/^socket\.io(\.\w+)*\.js(\.map)?$/.test(name)) continue
        this.emitFile({ type: 'asset', fileName: `socket.io/${name}`, source: readFileSync(join(dist, name)) })
      }
    },
  }
}

function packageRoot(path: string, name: string): string {
  const end = path.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length
  return path.slice(0, end)
}

export default defineConfig({
  base: '/',
  // public/ holds .gitkeep as well, so that a build leaves dist/ as git and go:embed want it.
  publicDir: 'public',
  plugins: [vue(), officialClient()],
  build: {
    outDir: 'dist',
    target: 'es2022',
    // The Content-Security-Policy allows no data: URLs and no inline script.
    assetsInlineLimit: 0,
    rolldownOptions: { input: ['index.html', 'log.html'] },
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { '/socket.io': { target: gateway, ws: true }, '/log/feed': gateway } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
