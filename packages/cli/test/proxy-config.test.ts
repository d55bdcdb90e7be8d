/** `hfauth proxy --config`: what the file may say, what is wrong with it and where, and a proxy that runs by it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { AuditLogOptions, ProxyOptions } from '@hfauth/node'
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { outputFolder, rememberSecrets } from '../../../test/support/output.ts'
import { readProxyConfig } from '../src/proxy-config/read-config.ts'
import { run } from '../src/run.ts'

/** Options of what the command makes, as it makes it. */
const created = vi.hoisted((): object[] => [])
vi.mock('@hfauth/node', async (original) => {
  const node = await original<typeof import('@hfauth/node')>()
  return {
    ...node,
    createAuditLog: (options: AuditLogOptions) => node.createAuditLog(noted(options)),
    createProxy: (options: ProxyOptions) => node.createProxy(noted(options)),
  }
})
function noted<T extends object>(options: T): T {
  created.push(options)
  return options
}

const folder = outputFolder('audit-proxy-config')
let hub: Hub
beforeAll(async () => {
  hub = await startHub()
})
afterAll(async () => {
  rememberSecrets(hub.issued)
  await hub.close()
})

const faultsOf = (text: string) => {
  try {
    readProxyConfig(text, 'proxy.yaml')
  } catch (error) {
    return (error as Error).message.split('\n').slice(1)
  }
  return []
}

describe('the file', () => {
  test('tells every fault at once, with its place', () => {
    expect(
      faultsOf(`environment: production
audit: audit.jsonl
lisen: { port: 1 }
listen: { port: 99999 }
mode: dryrun
limits:
  rules:
    - { name: Calls, per: principal, limit: 0, windowSeconds: 60 }
    - { name: calls, per: principal, limit: 1 }
`),
    ).toEqual([
      'proxy.yaml:3:1 unknown key `lisen`',
      'proxy.yaml:4:11 `listen.port` must be <= 65535',
      'proxy.yaml:5:1 `mode` must be enforce or dry-run',
      'proxy.yaml:8:9 `limits.rules.0.name` must match pattern "^[a-z0-9][a-z0-9-]{0,63}$"',
      'proxy.yaml:8:38 `limits.rules.0.limit` must be >= 1',
      'proxy.yaml:9:7 missing key `windowSeconds`',
    ])
  })

  test.each([
    ['a key that stands twice', 'audit: a\naudit: b\n', /^proxy\.yaml:2:1 /],
    ['a text that is no mapping', 'just words', /^proxy\.yaml:1:1 `the file` must be object$/],
    ['broken YAML', 'audit: [a\n', /^proxy\.yaml:\d+:\d+ /],
  ])('%s is a fault', (_, text, fault) => {
    expect(faultsOf(text)[0]).toMatch(fault)
  })

  test('shows no value in a fault: it may be a secret that stands in the wrong place', () => {
    expect(faultsOf('environment: { token: hf_secretvalue }\nbillTo: [hf_secretvalue]').join()).not.toContain(
      'hf_secret',
    )
  })

  test('cannot grow by aliases', () => {
    expect(() => readProxyConfig('a: &a [x]\nb: *a\n', 'proxy.yaml')).toThrow()
  })

  test('says what an address and a door may be', () => {
    expect(
      faultsOf(`hosts: { a.test: hubs, b.test: { endpoint: acme/e } }
revocations:
  doors: { backChannelLogout: yes please, admin: { action: revoke } }
  polls: [{ issuer: x }]
`),
    ).toEqual([
      expect.stringContaining('proxy.yaml:1:10 `hosts.a.test` must be `hub`, `router`'),
      expect.stringContaining('proxy.yaml:1:24 `hosts.b.test` must be `hub`, `router`'),
      'proxy.yaml:3:3 missing key `port`',
      'proxy.yaml:3:12 `revocations.doors.backChannelLogout` must be boolean',
      'proxy.yaml:3:43 missing key `resource`',
      'proxy.yaml:4:11 missing key `audience`',
      'proxy.yaml:4:11 missing key `endpoint`',
      'proxy.yaml:4:11 missing key `tokenEnv`',
    ])
  })

  test('may name addresses, doors and polls, all of them', () => {
    expect(
      faultsOf(`hosts:
  hub.acme.dev: hub
  ranker.acme.dev: { endpoint: acme/ranker, url: https://x.endpoints.huggingface.cloud }
  demo.acme.dev: { space: acme/demo, url: https://acme-demo.hf.space }
allowedUrlHosts: [.acme.dev]
revocations:
  store: redis
  key: acme:revocations
  lifeSeconds: 86400
  onUnavailable: continue
  doors:
    host: 0.0.0.0
    port: 8788
    backChannelLogout: true
    admin: { action: revoke, resource: "credential:acme" }
    events: [{ name: google, issuer: https://accounts.google.com, audience: x, legacy: google }]
  polls: [{ issuer: https://idp.test, audience: x, jwksUri: https://idp.test/k, endpoint: https://idp.test/p, tokenEnv: T }]
`),
    ).toEqual([])
  })
})

describe('times and limits of the file', () => {
  /** What `serve` gives to the log and to the proxy. */
  async function optionsGiven(lines: string) {
    const config = join(folder, 'times.yaml')
    writeFileSync(join(folder, 'times.policy.yaml'), policyText('read'))
    writeFileSync(
      config,
      `policy: times.policy.yaml\nenvironment: production\naudit: times-audit.jsonl\nlisten: { port: 0 }\n${lines}`,
    )
    created.length = 0
    const io = { out: () => {}, error: () => {}, env: { ISSUER: hub.url }, signal: AbortSignal.abort() }
    expect(await run(['proxy', '--config', config], io)).toBe(0)
    return Object.assign({}, ...created) as Record<string, unknown>
  }

  test('reach the record and the proxy', async () => {
    const options =
      await optionsGiven(`auditWrites: { timeoutMs: 2000, lossPolicy: available, durability: strict, flushMs: 5 }
requests: { longAfterMs: 60000, jsonBodyBytes: 10 }
`)
    expect(options).toMatchObject({
      timeoutMs: 2000,
      lossPolicy: 'available',
      durability: 'strict',
      flushMs: 5,
      limits: { longAfterMs: 60_000, jsonBodyBytes: 10 },
    })
  })

  test('are left to their defaults where the file is silent', async () => {
    const options = await optionsGiven('')
    expect(Object.keys(options)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(?:timeoutMs|lossPolicy|durability|limits)$/)]),
    )
  })

  test('have their bounds', () => {
    expect(
      faultsOf(`auditWrites: { timeoutMs: 0, lossPolicy: lax }
requests: { longAfterMs: 0, longAfter: 1 }
`),
    ).toEqual([
      'proxy.yaml:1:16 `auditWrites.timeoutMs` must be >= 1',
      'proxy.yaml:1:30 `auditWrites.lossPolicy` must be strict or available',
      'proxy.yaml:2:13 `requests.longAfterMs` must be >= 1',
      'proxy.yaml:2:29 unknown key `longAfter`',
    ])
  })
})

test('--schema prints the JSON Schema that the file is checked by', async () => {
  const lines: string[] = []
  const io = {
    out: (line: string) => lines.push(line),
    error: () => {},
    env: {},
    signal: AbortSignal.abort(),
  }
  expect(await run(['proxy', '--schema'], io)).toBe(0)
  expect(JSON.parse(lines.join(''))).toMatchObject({ additionalProperties: false, properties: { mode: {} } })
})

const policyText = (actions: string) => `version: 1
name: acme
issuers: { hf: { preset: huggingface, issuer: "\${env.ISSUER}", audience: ${publicAppId} } }
environments: { production: {} }
roles: { viewer: { allow: [{ actions: [${actions}], on: ["model:acme/*"] }] } }
bindings: [{ roles: [viewer], to: { issuer: hf, org: acme } }]
`

test('a proxy by a file follows its policy, keeps its limits, and ends on SIGTERM once all is answered', async () => {
  const policy = join(folder, 'followed.policy.yaml')
  const config = join(folder, 'proxy.yaml')
  writeFileSync(policy, policyText('infer'))
  writeFileSync(
    config,
    `policy: followed.policy.yaml
environment: production
audit: config-audit.jsonl
auditWrites: { durability: strict, timeoutMs: 60000, flushMs: 5, maxBehindMs: 500 }
requests: { jsonBodyBytes: 40, longAfterMs: 30000 }
listen: { port: 0, connectionsPerAddress: 50 }
upstream: { hub: "${hub.url}", router: "${hub.url}" }
limits: { rules: [{ name: calls, per: principal, limit: 200, windowSeconds: 3600 }, { name: writes, per: principal, limit: 1, windowSeconds: 3600, costs: { write: 1 } }] }
`,
  )
  const bin = fileURLToPath(new URL('../bin/hfauth.js', import.meta.url))
  const child = spawn(process.execPath, [bin, 'proxy', '--config', config], {
    env: { PATH: process.env.PATH, ISSUER: hub.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const exited = once(child, 'exit')
  try {
    const lines = createInterface({ input: child.stdout })
    const [line] = await Promise.race([once(lines, 'line'), exited])
    const url = /HF_ENDPOINT=(\S+)$/.exec(String(line))?.[1]
    expect(url, errors).toBeDefined()
    const token = await hub.tokenFor({
      username: 'ben',
      clientId: publicAppId,
      scopes: ['openid', 'profile', 'read-repos', 'write-repos'],
      orgs: ['acme'],
    })
    const get = () =>
      fetch(`${url}/api/models/acme/vision-large`, { headers: { authorization: `Bearer ${token}` } })
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect((await get()).status).toBe(403)
    const { hostname: host, port } = new URL(String(url))
    const sockets = Array.from({ length: 51 }, () =>
      connect({ host, port: Number(port), localAddress: '127.0.0.2' }).on('error', () => {}),
    )
    await Promise.race(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    for (const socket of sockets) socket.destroy()
    // With `strict` a denial is on record before its caller hears of it.
    expect(readFileSync(join(folder, 'config-audit.jsonl'), 'utf8')).toContain('"reason":"no_matching_rule"')
    const chat = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'acme/vision-large', messages: [] }),
    })
    expect(chat.status).toBe(413)
    writeFileSync(policy, policyText('read'))
    await vi.waitFor(async () => expect((await get()).status).toBe(200), { timeout: 15_000, interval: 50 })
    writeFileSync(policy, policyText('reed'))
    await vi.waitFor(() => expect(errors).toMatch(/followed\.policy\.yaml:5:\d+ .*reed/), { timeout: 15_000 })
    expect((await get()).status).toBe(200)
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
  }
  const types = readFileSync(join(folder, 'config-audit.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text).type)
  expect(types.filter((type) => type.startsWith('io.hfauth.policy.'))).toEqual([
    'io.hfauth.policy.loaded',
    'io.hfauth.policy.loaded',
    'io.hfauth.policy.rejected',
  ])
})

test('every configuration in the guide is one that the proxy takes', () => {
  const guide = readFileSync(new URL('../../../docs/guide/run-the-proxy.md', import.meta.url), 'utf8')
  const blocks = [...guide.matchAll(/^```yml\n([\s\S]*?)^```/gm)].map(([, block = '']) => block)
  const configs = blocks.map((block) => readProxyConfig(block, 'proxy.yaml'))
  expect(blocks.map(faultsOf)).toEqual(configs.map(() => []))
  const all = Object.assign({}, ...configs) as ReturnType<typeof readProxyConfig>
  expect(configs[0]?.limits?.rules).toHaveLength(4)
  expect(Object.keys(all.hosts ?? {})).toHaveLength(4)
  expect(all.revocations?.doors?.events).toHaveLength(1)
  expect(all.requests).toEqual({ longAfterMs: 60_000, upstreamTimeoutMs: 300_000, requestsPerCaller: 1000 })
  expect(all.clients?.okta?.secretFile).toBeDefined()
  expect(all.exchange?.secretFile).toBeDefined()
})
