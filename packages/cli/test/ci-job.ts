/**
 * CI job: a Hugging Face, a CI issuer and the runner's token service on loopback, and a job's step as a process.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { startCiIssuer, startHub } from '@hfauth/testkit'
import { rememberSecrets } from '../../../test/support/output.ts'

export const binary = join(import.meta.dirname, '../bin/hfauth.js')

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export type Environment = Readonly<Record<string, string | undefined>>

export async function startJobs() {
  const ci = await startCiIssuer()
  const hub = await startHub({
    world: {
      trustedPublishers: [
        {
          resource: 'acme/vision-large',
          issuer: ci.url,
          claims: { repository: 'acme/vision', ref: 'refs/heads/main' },
        },
        { resource: 'datasets/acme/vision-labels', issuer: ci.url, claims: { repository: 'acme/vision' } },
      ],
    },
  })
  const service = await startTokenService(ci.token)
  const root = mkdtempSync(join(tmpdir(), 'hfauth-ci-'))
  let serial = 0

  return {
    ci,
    hub,
    service,
    /** A new, empty folder for one job. */
    folder() {
      const folder = join(root, `job-${serial++}`)
      mkdirSync(folder)
      return folder
    },
    token: (claims: Record<string, unknown> = {}) =>
      ci.token({ audience: hub.url, repository: 'acme/vision', ...claims }),
    /** What a step of GitHub Actions finds in its environment. */
    github(folder: string): Environment {
      for (const name of ['env', 'output']) writeFileSync(join(folder, name), '')
      return {
        GITHUB_ACTIONS: 'true',
        GITHUB_REPOSITORY: 'acme/vision',
        GITHUB_ENV: join(folder, 'env'),
        GITHUB_OUTPUT: join(folder, 'output'),
        ACTIONS_ID_TOKEN_REQUEST_URL: `${service.url}/token?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: service.key,
      }
    },
    /** `hfauth ci token` against this Hub, with exactly these variables beside `PATH`. */
    run: (folder: string, env: Environment, args: readonly string[], input = '') =>
      runProcess(process.execPath, [binary, 'ci', 'token', '--hub', hub.url, ...args], {
        folder,
        env,
        input,
      }),
    /** Every secret there is, the runner's own included. */
    secrets: () => [...hub.issued, ...ci.issued, service.key],
    async close() {
      rememberSecrets([...hub.issued, ...ci.issued, service.key])
      await Promise.all([hub.close(), ci.close(), service.close()])
    },
  }
}

export type Jobs = Awaited<ReturnType<typeof startJobs>>

/** What `ACTIONS_ID_TOKEN_REQUEST_URL` leads to. */
async function startTokenService(
  sign: (options: { audience: string; repository: string }) => Promise<string>,
) {
  const key = `runner.${'k'.repeat(40)}`
  const state = { failures: 0, asked: 0, claims: {} as Record<string, unknown> }
  const server = createServer(async (request, response) => {
    state.asked += 1
    const { searchParams } = new URL(request.url ?? '', 'http://127.0.0.1')
    if (request.headers.authorization !== `Bearer ${key}` || searchParams.get('api-version') !== '2.0') {
      response.writeHead(401).end('{}')
    } else if (state.failures > 0) {
      state.failures -= 1
      response.writeHead(503).end('{}')
    } else {
      const audience = searchParams.get('audience') ?? ''
      const value = await sign({ audience, repository: 'acme/vision', ...state.claims })
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ count: 1, value }))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    key,
    state,
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

export function runProcess(
  program: string,
  args: readonly string[],
  { folder, env, input = '' }: { folder: string; env: Environment; input?: string },
): Promise<Ran> {
  const child = spawn(program, [...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...env },
    stdio: 'pipe',
  })
  const streams = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      streams[name] += text
    })
  }
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...streams })))
}

/** A program of this name that runs `script`; gives the `PATH` on which it is found. */
export function program(folder: string, name: string, script: string): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, name), 0o755)
  return [bin, process.env.PATH].join(delimiter)
}

/** Where any of `secrets` stands, in the streams and in the files under `folder`: `stderr: first words of the line`. */
export function findSecrets(secrets: readonly string[], ran: Ran, folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const places = [
    ['stdout', ran.stdout],
    ['stderr', ran.stderr],
    ...files.map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'utf8')]),
  ] as [string, string][]
  return places.flatMap(([place, text]) =>
    text.split('\n').flatMap((line) => {
      const secret = secrets.find((value) => line.includes(value))
      return secret === undefined ? [] : [`${place}: ${line.replace(secret, '…')}`]
    }),
  )
}
