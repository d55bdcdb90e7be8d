/**
 * Site: a page on loopback with the bundles to measure, the rules of one person and an address to call.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  createEngine,
  definePolicy,
  type Preset,
  parsePolicy,
  presets,
  principalFromClaims,
} from '@hfauth/core'
import { build } from 'esbuild'

export interface BenchSite {
  readonly url: string
  /** Access tokens that came with calls, in their order. */
  readonly tokens: string[]
  close(): Promise<void>
}

export interface SiteOptions {
  readonly issuer: string
  readonly clientId: string
  /** How many statements the person's rules have. */
  readonly statements: number
}

const bundles = ['hfauth', 'hfauth-worker', 'peers', 'peers-locked', 'plain'] as const

export async function startSite({ issuer, clientId, statements }: SiteOptions): Promise<BenchSite> {
  const texts = new Map<string, readonly [type: string, text: string]>()
  texts.set('/snapshot.json', ['application/json', JSON.stringify(snapshotOf(statements))])
  texts.set('/rules.json', ['application/json', JSON.stringify(caslRules(statements))])
  texts.set('/ping', ['text/plain', 'pong'])
  texts.set('/large', ['text/plain', 'x'.repeat(2 ** 20)])
  const worker = fileURLToPath(import.meta.resolve('@hfauth/browser/worker'))
  texts.set('/worker.js', ['text/javascript', await readFile(worker, 'utf8')])
  const tokens: string[] = []
  const server = createServer((req, res) => {
    const { pathname } = new URL(req.url ?? '', 'http://site')
    const { authorization } = req.headers
    if (authorization !== undefined) tokens.push(authorization)
    const [type, text] = texts.get(pathname) ?? ['text/html', '<!doctype html><title>bench</title>']
    res.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(text)
  })
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = JSON.stringify({ issuer, clientId, redirectUri: `${url}/callback` })
  for (const name of bundles) {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL(`page/${name}.ts`, import.meta.url))],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2023',
      write: false,
      define: { CONFIG: config },
    })
    texts.set(`/${name}.js`, ['text/javascript', outputFiles[0]?.text ?? ''])
  }
  return {
    url,
    tokens,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

const organisations = (statements: number) => Array.from({ length: statements }, (_, i) => `org${i}`)

function snapshotOf(statements: number) {
  const policy = parsePolicy(
    definePolicy({
      version: 1,
      name: 'bench',
      issuers: { hf: { preset: 'huggingface', audience: 'client' } },
      environments: { production: {} },
      roles: {
        user: {
          allow: organisations(statements).map((org) => ({
            actions: ['read'],
            on: [`model:${org}/vision-*`] as const,
          })),
        },
      },
      bindings: [{ roles: ['user'], to: { issuer: 'hf' } }],
    }),
  )
  const principal = principalFromClaims({
    issuer: 'hf',
    preset: presets.get('huggingface') as Preset,
    credential: 'id_token',
    claims: { iss: 'https://huggingface.co', sub: 'ana' },
  })
  return createEngine(policy, { environment: 'production' }).for(principal).snapshot()
}

/** The same rights, as one would write them for CASL. */
function caslRules(statements: number) {
  return organisations(statements).map((org) => ({
    action: 'read',
    subject: 'model',
    conditions: { id: { $regex: `^${org}/vision-[^/]*$` } },
  }))
}
