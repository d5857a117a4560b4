import { defineConfig } from 'vitest/config'

/** Tests from outside, against the product's binary: see e2e/README.md. */
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    globalSetup: ['e2e/binary.ts'],
    environment: 'node',
    // One file after another: each test has a server and browsers of its own, and they share two cores.
    fileParallelism: false,
    testTimeout: 45_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 20_000, interval: 25 } },
  },
})
