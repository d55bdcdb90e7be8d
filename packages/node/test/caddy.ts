/**
 * Caddy: the real one, with a configuration of the test's own, on loopback.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { answering, freePort } from './nginx.ts'

/** `test`, or one that is skipped by name: a machine without Caddy, which `.ci/run` could not install either. */
export const caddyTest: typeof test =
  spawnSync('caddy', ['version']).status === 0
    ? test
    : (((title: string) => test.skip(`${title} (skipped: caddy is not installed)`)) as typeof test)

/** @param site - What stands in the block of the site. */
export async function startCaddy(site: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'hfauth-caddy-'))
  const url = `http://127.0.0.1:${await freePort()}`
  const file = join(folder, 'Caddyfile')
  writeFileSync(
    file,
    `{\n  admin off\n  auto_https off\n}\n${url.replace('127.0.0.1', '')} {\n  bind 127.0.0.1\n${site}\n}\n`,
  )
  const child: ChildProcess = spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    env: { ...process.env, HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  await answering(url, child, () => said)
  return {
    url,
    async close() {
      if (child.exitCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
