/**
 * `pnpm mutate`: changes the compiler and the evaluator in small ways, one at a time, and looks whether a test notices.
 *
 * Laws run with a hundredth of their usual tries (`HFAUTH_LAW_RUNS`), which is enough to notice and keeps it short.
 * Without more, what makes a decision is changed: the compiler, and the evaluator on every path to an answer.
 * `HFAUTH_MUTATE` names other files (commas between them), `HFAUTH_MUTATE_TESTS=all` adds the slow tests.
 */
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('.', import.meta.url)))
process.env.HFAUTH_LAW_RUNS ??= '1'

const compile = ['bindings', 'casl', 'compile', 'conditions', 'facts', 'rule-table', 'specialise']
const decide = ['access', 'cells', 'decide', 'grants', 'resource', 'scopes', 'snapshot', 'standing']
const files = [
  ...compile.map((name) => `src/compile/${name}.ts`),
  ...decide.map((name) => `src/decide/${name}.ts`),
]

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: process.env.HFAUTH_MUTATE?.split(',') ?? files,
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 10_000,
  // Messages and module headers decide nothing.
  mutator: { excludedMutations: ['StringLiteral'] },
  ignoreStatic: true,
  reporters: ['clear-text', 'progress'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  tempDirName: '.stryker-tmp',
  thresholds: { high: 95, low: 85, break: 85 },
}
