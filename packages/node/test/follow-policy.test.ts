/**
 * Following a policy: from a file as people and Kubernetes write it, and from an HTTP store.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePolicy } from '@hfauth/core/yaml'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  createAuditLog,
  type FollowedPolicy,
  type FollowPolicyOptions,
  followPolicy,
  memorySink,
  type PolicySource,
  policyFile,
  policyUrl,
} from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'hfauth-policy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const text = (name: string) => `version: 1
name: ${name}
issuers: { hf: { preset: huggingface, audience: app } }
environments: { production: {} }
roles: { viewer: { allow: [{ actions: [read], on: ["model:acme/*"] }] } }
bindings: [{ roles: [viewer], to: { issuer: hf, org: acme } }]
`

let sink = memorySink()
let followed: FollowedPolicy | undefined
beforeEach(() => {
  sink = memorySink()
})
afterEach(() => followed?.close())

async function follow(source: PolicySource, more: Partial<FollowPolicyOptions> = {}) {
  const applied: string[] = []
  const audit = createAuditLog({ sink, environment: 'production', service: 'proxy' })
  followed = await followPolicy({
    source,
    parse: parsePolicy,
    apply: (policy) => void applied.push(policy.reference.name),
    audit,
    ...more,
  })
  return { followed, applied }
}

const recorded = () => sink.events.map(({ type, resource, error }) => [type, resource?.id, error])

/** Waits for what a watch brings about. */
const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 20 })

describe('a file', () => {
  test('that is written anew is in force soon after, and each policy is on record', async () => {
    const path = join(folder, 'plain.yaml')
    writeFileSync(path, text('one'))
    const { applied } = await follow(policyFile(path))
    writeFileSync(path, text('two'))
    await until(() => expect(applied).toEqual(['one', 'two']))
    expect(recorded()).toEqual([
      ['io.hfauth.policy.loaded', 'one', undefined],
      ['io.hfauth.policy.loaded', 'two', undefined],
    ])
    expect(sink.events[1]?.resource?.revision).toMatch(/^[\w:+/=-]{20,}$/)
  })

  test('with faults never replaces one without, and the rejection is on record once', async () => {
    const path = join(folder, 'broken.yaml')
    writeFileSync(path, text('good'))
    const rejected: string[] = []
    const { followed: it, applied } = await follow(policyFile(path), {
      onRejected: ({ message }) => rejected.push(message),
    })
    writeFileSync(path, text('bad').replace('preset: huggingface', 'preset: huggingfase'))
    await until(() => expect(it.fault()?.code).toBe('HFAUTH_POLICY_INVALID'))
    await it.reload()
    expect(applied).toEqual(['good'])
    expect(it.policy().reference.name).toBe('good')
    expect(recorded().slice(1)).toEqual([['io.hfauth.policy.rejected', 'good', 'HFAUTH_POLICY_INVALID']])
    expect(rejected).toHaveLength(1)
    expect(rejected[0]).toMatch(/:3:\d+ .*did you mean `huggingface`/)
    writeFileSync(path, text('mended'))
    await until(() => expect(applied).toEqual(['good', 'mended']))
    expect(it.fault()).toBeUndefined()
  })

  test('that Kubernetes mounts is followed through the swap of its link', async () => {
    const mount = join(folder, 'mount')
    for (const [version, name] of [
      ['..1', 'first'],
      ['..2', 'second'],
    ] as const) {
      mkdirSync(join(mount, version), { recursive: true })
      writeFileSync(join(mount, version, 'policy.yaml'), text(name))
    }
    symlinkSync('..1', join(mount, '..data'))
    symlinkSync(join('..data', 'policy.yaml'), join(mount, 'policy.yaml'))
    const { applied } = await follow(policyFile(join(mount, 'policy.yaml')))
    symlinkSync('..2', join(mount, '..data_tmp'))
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
    await until(() => expect(applied).toEqual(['first', 'second']))
  })

  test('that is gone leaves the policy in force', async () => {
    const path = join(folder, 'gone.yaml')
    writeFileSync(path, text('here'))
    const { followed: it } = await follow(policyFile(path))
    rmSync(path)
    await it.reload()
    expect(it.policy().reference.name).toBe('here')
    expect(it.fault()?.code).toBe('HFAUTH_POLICY_UNAVAILABLE')
  })

  test('that is not there at the start is an error', async () => {
    await expect(follow(policyFile(join(folder, 'none.yaml')))).rejects.toMatchObject({
      code: 'HFAUTH_POLICY_UNAVAILABLE',
    })
  })
})

describe('what is in force', () => {
  const changing = (...texts: readonly string[]): PolicySource => {
    let i = 0
    return { load: async () => texts[Math.min(i++, texts.length - 1)] }
  }

  test('stays while the change cannot be put on record, and changes once it can', async () => {
    let isDown = false
    const inner = memorySink()
    const audit = createAuditLog({
      sink: {
        write: (event) => (isDown ? Promise.reject(new Error('disk is full')) : inner.write(event)),
      },
      environment: 'production',
      service: 'proxy',
    })
    const { followed: it } = await follow(changing(text('one'), text('two')), { audit })
    isDown = true
    await it.reload()
    expect(it.policy().reference.name).toBe('one')
    isDown = false
    await it.reload()
    expect(it.policy().reference.name).toBe('two')
  })

  test('goes on being followed when a listener fails', async () => {
    const source = changing(text('one'), 'no policy', text('three'))
    const { followed: it } = await follow(source, {
      onRejected() {
        throw new Error('listener')
      },
    })
    await it.reload()
    expect(it.fault()?.code).toBe('HFAUTH_POLICY_INVALID')
    await it.reload()
    expect(it.policy().reference.name).toBe('three')
  })

  test('stays when the next one cannot be applied, and its words are not repeated', async () => {
    let calls = 0
    const { followed: it } = await follow(changing(text('one'), text('two')), {
      apply() {
        calls += 1
        if (calls > 1) throw new Error('secret words')
      },
    })
    await it.reload()
    expect(it.policy().reference.name).toBe('one')
    expect(it.fault()?.message).not.toContain('secret')
  })

  test('is not applied again when only a comment has changed', async () => {
    const { followed: it, applied } = await follow(changing(text('one'), `# new\n${text('one')}`))
    await it.reload()
    expect(applied).toEqual(['one'])
  })
})

describe('an HTTP store', () => {
  const asked: IncomingHttpHeaders[] = []
  let answer: { status: number; etag?: string; body: string } = { status: 200, body: '' }
  const server = createServer((req, res) => {
    asked.push(req.headers)
    const { status, etag, body } = answer
    if (etag !== undefined) res.setHeader('etag', etag)
    if (etag !== undefined && req.headers['if-none-match'] === etag) return res.writeHead(304).end()
    res.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end(body)
  })
  const ready = new Promise<string>((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/p`),
    ),
  )
  afterAll(() => server.close())
  beforeEach(() => asked.splice(0))

  test('is asked with the tag of what is known, and with the token', async () => {
    answer = { status: 200, etag: '"a"', body: text('one') }
    const { followed: it, applied } = await follow(policyUrl(await ready, { token: () => 'store-token' }))
    await it.reload()
    expect(asked.map((headers) => headers['if-none-match'])).toEqual([undefined, '"a"'])
    expect(asked[1]?.authorization).toBe('Bearer store-token')
    answer = { status: 200, etag: '"b"', body: text('two') }
    await it.reload()
    expect(applied).toEqual(['one', 'two'])
    expect(it.fault()).toBeUndefined()
  })

  test('that has nothing new is no reason to forget what could not be put in force before', async () => {
    answer = { status: 200, etag: '"a"', body: text('one') }
    let isDown = false
    const inner = memorySink()
    const audit = createAuditLog({
      sink: { write: (event) => (isDown ? Promise.reject(new Error('full')) : inner.write(event)) },
      environment: 'production',
      service: 'proxy',
    })
    const { followed: it } = await follow(policyUrl(await ready), { audit })
    isDown = true
    answer = { status: 200, etag: '"b"', body: text('two') }
    await it.reload()
    expect([it.policy().reference.name, it.fault()?.code]).toEqual(['one', 'HFAUTH_AUDIT_UNAVAILABLE'])
    isDown = false
    await it.reload()
    expect(asked.at(-1)?.['if-none-match']).toBe('"b"')
    expect([it.policy().reference.name, it.fault()]).toEqual(['two', undefined])
  })

  test('that is there again, with nothing new, is no fault any more', async () => {
    answer = { status: 200, etag: '"a"', body: text('one') }
    const { followed: it } = await follow(policyUrl(await ready))
    answer = { status: 500, body: '' }
    await it.reload()
    expect(it.fault()?.code).toBe('HFAUTH_POLICY_UNAVAILABLE')
    answer = { status: 200, etag: '"a"', body: text('one') }
    await it.reload()
    expect(it.fault()).toBeUndefined()
  })

  test.each([
    ['an error', { status: 500, body: text('evil') }],
    ['a redirect', { status: 302, body: '' }],
    ['a page that is too long', { status: 200, body: `# ${'x'.repeat(5_000)}\n${text('evil')}` }],
    ['a 304 that nobody asked for', { status: 304, body: '' }],
  ])('%s leaves the policy in force', async (_, next) => {
    answer = { status: 200, body: text('good') }
    const { followed: it } = await follow(policyUrl(await ready, { maxBytes: 4_000 }))
    answer = next
    await it.reload()
    expect(it.policy().reference.name).toBe('good')
    expect(it.fault()?.code).toBe('HFAUTH_POLICY_UNAVAILABLE')
  })

  test.each([
    'http://store.example/policy',
    'file:///etc/passwd',
    'https://user:pass@store.example/',
    'policy',
  ])('%s is no address for a policy', (address) => {
    expect(() => policyUrl(address)).toThrowError(expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }))
  })
})
