/** For `pnpm mutate`: the tests that judge decisions, without those whose subject is size, time or the reader of files. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const whole = process.env.HFAUTH_MUTATE_TESTS === 'all'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/hostile-text.test.ts',
      'test/laws-parsing.test.ts',
      'test/define.test.ts',
      'test/json.test.ts',
      'test/parse.test.ts',
      'test/schema.test.ts',
      // Seconds each, and about what stands behind a decision; `HFAUTH_MUTATE_TESTS=all` has them as well.
      ...(whole ? [] : ['ability', 'explain', 'remedies', 'search'].map((name) => `test/${name}.test.ts`)),
    ],
    testTimeout: 20_000,
    maxWorkers: 1,
  },
})
