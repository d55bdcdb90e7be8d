/** For `pnpm mutate`: the tests that judge decisions, without those whose subject is the reader of files. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Seldom the first to notice, or slow: they run after the others, and only if none of those noticed. */
const last = [
  'snapshot',
  'vectors',
  'scopes',
  'laws',
  'explain',
  'search',
  'remedies',
  'hostile',
  'ability',
  'oracle',
]

class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      last.findIndex((name) => moduleId.includes(`/test/${name}`))
    return [...files].sort((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId))
  }
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['hostile-text', 'laws-parsing', 'define', 'json', 'parse', 'schema'].map(
      (name) => `test/${name}.test.ts`,
    ),
    setupFiles: ['test/mutation-seed.ts'],
    sequence: { sequencer: QuickFirst },
    testTimeout: 60_000,
    // One process keeps the modules, which halves the time; core remembers nothing between tests but how ids are read.
    isolate: false,
    maxWorkers: 1,
  },
})
