import { defineConfig } from 'vitest/config'

import browserTests from './vitest.e2e.config'

/** Pictures of every screen, into shots/. */
export default defineConfig({ test: { ...browserTests.test, include: ['e2e/own/pictures.ts'], testTimeout: 180_000 } })
