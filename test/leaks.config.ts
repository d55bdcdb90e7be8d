import { defineConfig } from 'vitest/config'

// Runs after the suite, over what it wrote.
export default defineConfig({ test: { include: ['test/leaks.test.ts'] } })
