/**
 * Tests that need a program of the machine: skipped by name where it is absent, except in CI, where they fail.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { test } from 'vitest'

/** @param question - Which the program answers when it is there. */
export function needsProgram(name: string, question = '--version'): typeof test {
  const isThere = spawnSync(name, [question]).status === 0
  if (isThere || process.env.CI !== undefined) return test
  return ((title: string) => test.skip(`${title} (skipped: \`${name}\` is not installed)`)) as typeof test
}
