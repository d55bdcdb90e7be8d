/**
 * `hfauth`: the command line over the packages. Holds no rules of its own.
 *
 * @module
 */
import { run } from './run.ts'
import { readStdin } from './stdin.ts'

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())

process.exitCode = await run(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
  env: process.env,
  stdin: () => readStdin(process.stdin),
  signal: stopping.signal,
})
