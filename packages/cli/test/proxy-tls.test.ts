/** `hfauth proxy` and the certificates of its upstreams: one authority is trusted, and what it vouches for has to fit. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get as httpGet, type IncomingMessage } from 'node:http'
import { createServer, type Server, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import { afterAll, beforeAll, expect } from 'vitest'
import { rememberSecrets } from '../../../test/support/output.ts'
import { needsProgram } from '../../node/test/needs-program.ts'

const test = needsProgram('openssl', 'version')
const folder = mkdtempSync(join(tmpdir(), 'proxy-tls-'))
const file = (name: string) => join(folder, name)
const servers: Server[] = []
let hub: Hub
beforeAll(async () => {
  hub = await startHub()
})
afterAll(async () => {
  rememberSecrets(hub.issued)
  await hub.close()
  for (const server of servers) server.closeAllConnections()
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  rmSync(folder, { recursive: true })
})

const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

function authority(name: string): void {
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '1',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
  )
}

/** What an authority vouches for: a name, for so many days from now. */
function certificate(name: string, by: string, host: string, days: number): ServerOptions {
  writeFileSync(file(`${name}.ext`), `subjectAltName=DNS:${host}`)
  openssl('req', ...newKey, '-subj', `/CN=${host}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
  const ca = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-extfile', `${name}.ext`]
  openssl('x509', '-req', '-in', `${name}.csr`, ...ca, '-days', String(days), '-out', `${name}.pem`)
  return { key: readFileSync(file(`${name}.key`)), cert: readFileSync(file(`${name}.pem`)) }
}

/** An upstream on loopback; notes who asked it anything. */
async function upstream(name: string, options: ServerOptions, asked: string[]): Promise<string> {
  const server = createServer(options, (_, response) => {
    asked.push(name)
    response.end('ok')
  })
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `https://localhost:${(server.address() as AddressInfo).port}`
}

test('J08 an upstream is asked when its certificate is vouched for, in force and its own, over TLS of today', async () => {
  authority('trusted')
  authority('stranger')
  const good = certificate('good', 'trusted', 'localhost', 1)
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  const kinds: Readonly<Record<string, ServerOptions>> = {
    good,
    name: certificate('name', 'trusted', 'other.test', 1),
    expired: certificate('expired', 'trusted', 'localhost', -1),
    stranger: certificate('foreign', 'stranger', 'localhost', 1),
    version: { ...good, ...old },
  }
  const asked: string[] = []
  const hosts: string[] = []
  for (const [kind, options] of Object.entries(kinds)) {
    const url = await upstream(kind, options, asked)
    hosts.push(`  ${kind}.gw.test: { endpoint: acme/${kind}, url: "${url}" }`)
  }
  writeFileSync(
    file('policy.yaml'),
    `version: 1
name: acme
issuers: { hf: { preset: huggingface, issuer: "${hub.url}", audience: ${publicAppId} } }
environments: { production: {} }
roles: { user: { allow: [{ actions: [infer], on: ["endpoint:acme/*"] }] } }
bindings: [{ roles: [user], to: { issuer: hf, org: acme } }]
`,
  )
  writeFileSync(
    file('proxy.yaml'),
    `policy: policy.yaml
environment: production
audit: audit.jsonl
listen: { port: 0 }
upstream: { hub: "${hub.url}", router: "${hub.url}" }
hosts:
${hosts.join('\n')}
`,
  )
  const bin = fileURLToPath(new URL('../bin/hfauth.js', import.meta.url))
  const child = spawn(process.execPath, [bin, 'proxy', '--config', file('proxy.yaml')], {
    env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: file('trusted.pem') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    const url = /HF_ENDPOINT=(\S+)$/.exec(String(line))?.[1] ?? ''
    const scopes = ['openid', 'profile', 'read-endpoints']
    const token = await hub.tokenFor({ username: 'ben', clientId: publicAppId, scopes, orgs: ['acme'] })
    const statuses: Record<string, number | undefined> = {}
    for (const kind of Object.keys(kinds)) {
      const headers = { host: `${kind}.gw.test`, authorization: `Bearer ${token}` }
      const [response] = (await once(httpGet(url, { headers }), 'response')) as [IncomingMessage]
      response.resume()
      statuses[kind] = response.statusCode
    }
    expect(statuses).toEqual({ good: 200, name: 502, expired: 502, stranger: 502, version: 502 })
    expect(asked).toEqual(['good'])
  } finally {
    child.kill('SIGKILL')
  }
})
