/**
 * Where tests leave what the last step of `pnpm test` reads for secrets: audit trails, logs, error
 * reports, and the list of secrets to look for.
 */
import { appendFileSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

/** A new folder for the files of one test file; read, and thrown away, after the whole suite. */
export function outputFolder(name: string): string {
  const parent = process.env.HFAUTH_TEST_OUTPUT ?? join(tmpdir(), 'hfauth-test-output')
  mkdirSync(parent, { recursive: true })
  return mkdtempSync(join(parent, `${name}-`))
}

/** Remembers what was handed out, so that it can be searched for. */
export function rememberSecrets(secrets: Iterable<string>): void {
  const folder = process.env.HFAUTH_TEST_OUTPUT
  if (folder !== undefined)
    appendFileSync(join(folder, `secrets-${process.pid}.txt`), `${[...secrets].join('\n')}\n`)
}

/** Writes an error down as a careless program would, with everything that hangs on it; gives it back. */
export function report<T>(error: T): T {
  const folder = process.env.HFAUTH_TEST_OUTPUT
  if (folder !== undefined) {
    appendFileSync(
      join(folder, `errors-${process.pid}.txt`),
      `${inspect(error, { depth: 12, showHidden: true })}\n`,
    )
  }
  return error
}

/** Leaves lines that a test kept in memory where the others are: `audit-proxy` for events, for example. */
export function leaveLines(name: string, lines: Iterable<unknown>): void {
  const folder = process.env.HFAUTH_TEST_OUTPUT
  if (folder === undefined) return
  const text = [...lines].map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  appendFileSync(join(folder, `${name}-${process.pid}.jsonl`), `${text}\n`)
}
