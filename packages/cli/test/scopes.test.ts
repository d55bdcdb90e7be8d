import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine } from '@hfauth/core'
import { parsePolicy } from '@hfauth/core/yaml'
import { describe, expect, test } from 'vitest'
import { run } from '../src/run.ts'

const folder = mkdtempSync(join(tmpdir(), 'hfauth-scopes-'))
const text = `version: 1
name: acme
issuers:
  hf: { preset: huggingface, audience: "\${env.APP}" }
environments:
  development: {}
  production: { actions: [read, infer] }
roles:
  viewer: { allow: [{ actions: [read], on: ["model:acme/*"] }] }
  engineer:
    allow:
      - { actions: [infer], on: ["model:acme/*"] }
      - { actions: [write], on: ["model:acme/*"] }
bindings:
  - { roles: [viewer, engineer], to: { issuer: hf } }
`
const policyFile = join(folder, 'policy.yaml')
writeFileSync(policyFile, text)

async function scopes(...args: string[]) {
  const out: string[] = []
  const errors: string[] = []
  const io = { out: (line: string) => void out.push(line), error: (line: string) => void errors.push(line) }
  const code = await run(['scopes', policyFile, ...args], { ...io, env: {} } as unknown as Parameters<
    typeof run
  >[1])
  return { code, out: out.join('\n'), errors: errors.join('\n') }
}

describe('hfauth scopes', () => {
  test('prints what the engine asks for in an environment, and less where less is allowed', async () => {
    const policy = parsePolicy(text, { variables: { APP: 'app' } })
    const smallest = (environment: string) => createEngine(policy, { environment }).scopes().join(' ')
    expect(await scopes('--environment', 'production')).toEqual({
      code: 0,
      out: smallest('production'),
      errors: '',
    })
    expect((await scopes('--environment', 'development')).out).toBe(smallest('development'))
    expect(smallest('production')).toBe('inference-api read-repos')
    expect(smallest('development')).toBe('inference-api write-repos')
  })

  test('prints what one role has a use for', async () => {
    expect((await scopes('--environment', 'production', '--role', 'viewer')).out).toBe('read-repos')
    expect(await scopes('--environment', 'production', '--role', 'viewr')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('viewer'),
    })
  })

  test('writes every environment as a module, and checks it', async () => {
    const out = join(folder, 'scopes.ts')
    expect((await scopes('--out', out, '--check')).code).toBe(1)
    expect((await scopes('--out', out)).code).toBe(0)
    expect(readFileSync(out, 'utf8')).toContain(`export const scopes = {
  "development": ["inference-api", "write-repos"],
  "production": ["inference-api", "read-repos"],
} as const
`)
    expect((await scopes('--out', out, '--check')).code).toBe(0)
    writeFileSync(out, readFileSync(out, 'utf8').replace('write-repos', 'read-repos'))
    expect(await scopes('--out', out, '--check')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('hfauth scopes'),
    })
  })

  test.each([[['--check']], [['--role', 'viewer']], [['--environment', 'production', '--out', 'x']]])(
    'refuses %j',
    async (args) => {
      expect(await scopes(...args)).toMatchObject({ code: 2, out: '' })
    },
  )

  test('names the nearest environment', async () => {
    expect(await scopes('--environment', 'prodution')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('production'),
    })
  })
})
