/**
 * `pnpm mutate`: changes the compiler and the evaluator in small ways, one at a time, and looks whether a test notices.
 *
 * Laws run with two hundredths of their usual tries (`HFAUTH_LAW_RUNS`), which is enough to notice and keeps it
 * short. Both folders are changed whole; `HFAUTH_MUTATE` names other files (commas between them).
 */
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('.', import.meta.url)))
process.env.HFAUTH_LAW_RUNS ??= '2'

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate:
    process.env.HFAUTH_MUTATE?.split(',') ??
    ['compile', 'decide', 'explain', 'reach'].map((folder) => `src/${folder}/**/*.ts`),
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // A busy machine makes every test slower; only a change that never ends may count as noticed by its time.
  timeoutMS: 30_000,
  timeoutFactor: 4,
  // Messages and module headers decide nothing.
  mutator: { excludedMutations: ['StringLiteral'] },
  ignoreStatic: true,
  reporters: ['clear-text', 'progress'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  tempDirName: '.stryker-tmp',
  thresholds: { high: 95, low: 85, break: 85 },
}
