import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    // The last reading of everything the suite wrote runs on its own, after the suite: see scripts/test.mjs.
    exclude: ['**/node_modules/**', 'test/leaks.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: more workers only make browsers and servers wait for each other.
    maxWorkers: 2,
  },
})
