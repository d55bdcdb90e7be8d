/**
 * nginx: the real one, with a configuration of the test's own, on loopback.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'vitest'

export interface Nginx {
  readonly url: string
  close(): Promise<void>
}

/** Debian keeps it where only the administrator's path leads. */
const program = ['nginx', '/usr/sbin/nginx'].find((name) => spawnSync(name, ['-v']).status === 0)

/** `test`, or one that is skipped by name: a machine without nginx, which `.ci/run` could not install either. */
export const nginxTest: typeof test =
  program !== undefined
    ? test
    : (((title: string) => test.skip(`${title} (skipped: nginx is not installed)`)) as typeof test)

/** @param server - What stands in the server block. */
export async function startNginx(server: string): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'hfauth-nginx-'))
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr error;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    ${server}
  }
}
`,
  )
  const child = spawn(program ?? 'nginx', ['-p', folder, '-c', file, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const url = `http://127.0.0.1:${port}`
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

/** Waits until a server that was started answers. */
export async function answering(url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`the server did not start: ${said()}`)
    const answered = await fetch(`${url}/hfauth-is-it-up`).then(
      () => true,
      () => false,
    )
    if (answered) return
    await delay(25)
  }
  throw new Error('the server does not answer')
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
