import { defineConfig } from 'vitest/config'

import browserTests from './vitest.e2e.config'

/** Figures of the page; nothing is asserted. */
export default defineConfig({
  test: {
    ...browserTests.test,
    include: ['e2e/own/measure.ts'],
    testTimeout: 180_000,
    reporters: [['default', { summary: false }]],
    disableConsoleIntercept: true,
  },
})
