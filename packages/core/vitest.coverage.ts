/** `pnpm coverage`: what of core's source the tests of core reach, and the least that they must. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['packages/core/test/**/*.test.ts'],
    testTimeout: 600_000,
    maxWorkers: 2,
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['packages/core/src/**/*.ts'],
      // Types alone, and names passed on: nothing of it runs.
      exclude: ['packages/core/src/{types,brand,index}.ts', 'packages/core/src/compile/rule.ts'],
      reporter: ['text'],
      thresholds: { lines: 95, branches: 95 },
    },
  },
})
