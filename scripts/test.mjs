/**
 * `pnpm test`: everything that has to hold before a change lands, in order, and then one last reading
 * of all that was written on the way for secrets that have no business there.
 *
 * The last line says how many tests passed, failed and were skipped.
 */
import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const output = join(root, '.test-output')
rmSync(output, { recursive: true, force: true })
mkdirSync(output)

/** Runs a command, shows what it prints and keeps it for the last reading; resolves to its exit code. */
function run(name, command, args, env = {}) {
  console.log(`\n── ${name}`)
  const log = createWriteStream(join(output, `${name}.log`))
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, HFAUTH_TEST_OUTPUT: output, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const [stream, target] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    stream.on('data', (chunk) => {
      target.write(chunk)
      log.write(chunk)
    })
  }
  return new Promise((resolve) => child.on('close', (code) => log.end(() => resolve(code ?? 1))))
}

function vitest(name, args) {
  const report = join(output, `${name}.json`)
  return run(name, 'vitest', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args,
  ])
}

const steps = [
  () => run('lint', 'pnpm', ['lint']),
  () => run('build', 'pnpm', ['build']),
  () => run('typecheck', 'pnpm', ['typecheck']),
  () => run('packages', 'pnpm', ['check:packages']),
  () => vitest('suite', []),
  () => vitest('leaks', ['--config', 'test/leaks.config.ts']),
]
const codes = []
for (const step of steps) codes.push(await step())

const counts = { passed: 0, failed: 0, skipped: 0 }
for (const name of ['suite', 'leaks']) {
  const report = join(output, `${name}.json`)
  if (!existsSync(report)) {
    codes.push(1)
    continue
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
    readFileSync(report, 'utf8'),
  )
  counts.passed += numPassedTests
  counts.failed += numFailedTests
  counts.skipped += numPendingTests + numTodoTests
}
const names = ['lint', 'build', 'typecheck', 'packages', 'suite', 'leaks', 'report', 'report']
const broken = names.filter((_, i) => codes[i] !== undefined && codes[i] !== 0)
if (broken.length > 0) console.log(`\nnot passed: ${broken.join(', ')}`)
process.exitCode = broken.length === 0 ? 0 : 1
console.log(`\nTests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
