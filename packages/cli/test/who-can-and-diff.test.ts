import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { run } from '../src/run.ts'

const folder = mkdtempSync(join(tmpdir(), 'hfauth-cli-'))
const policy = `version: 1
name: acme
issuers:
  hf: { preset: huggingface, audience: "\${env.APP}" }
environments: { production: { actions: [read] }, development: {} }
roles:
  viewer: { allow: [{ actions: [read, infer], on: ["model:acme/*"] }] }
  careful: { allow: [{ actions: [read], on: ["model:acme/*"], when: { resource.gated: false } }] }
bindings:
  - { roles: [viewer], to: { issuer: hf, org: acme } }
  - { roles: [careful], to: { issuer: hf, username: ana } }
`

let serial = 0
function file(text: string): string {
  const path = join(folder, `policy-${serial++}.yaml`)
  writeFileSync(path, text)
  return path
}

async function hfauth(...args: string[]) {
  const out: string[] = []
  const errors: string[] = []
  const io = { out: (line: string) => out.push(line), error: (line: string) => errors.push(line) }
  const code = await run(args, { ...io, env: { APP: 'app' }, signal: AbortSignal.abort() })
  return { code, out, errors: errors.join('\n') }
}

describe('hfauth who-can', () => {
  const path = file(policy)
  const whoCan = (...args: string[]) => hfauth('who-can', '--policy', path, ...args)

  test('names the bindings, whom they are about and through which roles, and where they stand', async () => {
    const { code, out } = await whoCan('--environment', 'production', 'read model:acme/x')
    expect(code).toBe(0)
    expect(out).toHaveLength(2)
    const ofOrg = out.find((line) => line.includes('"org":"acme"'))
    expect(ofOrg).toMatch(/^everyone with \{"issuer":"hf","org":"acme"\}, as viewer: .+ at .+:10:5$/)
    const ofAna = out.find((line) => line.includes('"username":"ana"'))
    expect(ofAna).toMatch(/^some with \{"issuer":"hf","username":"ana"\}, as careful: .+ at .+:11:5$/)
  })

  test('is certain where what is told of the resource settles the condition', async () => {
    const told = ['--environment', 'production', '--attributes', '{"gated":false}']
    const { out } = await whoCan(...told, 'read model:acme/x')
    expect(out.every((line) => line.startsWith('everyone with'))).toBe(true)
  })

  test('says that nobody can, and fails, beyond the ceiling and outside of every pattern', async () => {
    for (const question of ['infer model:acme/x', 'read model:other/x'])
      expect(await whoCan('--environment', 'production', question)).toMatchObject({
        code: 1,
        out: ['nobody'],
      })
  })

  test('tells the same as JSON', async () => {
    const { out } = await whoCan('--environment', 'production', '--json', 'read model:acme/x')
    const answer = JSON.parse(out.join('\n'))
    expect(answer).toMatchObject({ environment: 'production', policy: { name: 'acme' } })
    expect(answer.holders.map((holder: { certainty: string }) => holder.certainty).sort()).toEqual([
      'certain',
      'conditional',
    ])
  })

  test.each([
    [['read model:acme/x'], '`--environment` is missing'],
    [['--environment', 'production'], 'the question is missing'],
    [
      ['--environment', 'production', '--context', '[]', 'read model:acme/x'],
      '`--context` takes a JSON object',
    ],
  ])('does not guess what %j means', async (args, message) => {
    const { code, errors } = await whoCan(...args)
    expect(code).toBe(2)
    expect(errors).toContain(message)
  })
})

describe('hfauth policy diff', () => {
  test('says what is no longer said and what is new, and what that changes in the scopes to ask for', async () => {
    const after = policy
      .replace('development: {}', 'staging: {}')
      .replace('actions: [read] }, ', 'actions: [read, infer] }, ')
    const { code, out } = await hfauth('policy', 'diff', file(policy), file(after))
    expect(code).toBe(1)
    expect(out).toEqual([
      '- environments.development: {}',
      '+ environments.production.actions: "infer"',
      '+ environments.staging: {}',
      expect.stringMatching(/^scopes in development: .+ → no such environment$/),
      expect.stringMatching(/^scopes in production: .+ → .*inference-api/),
      expect.stringMatching(/^scopes in staging: no such environment → .+/),
    ])
  })

  test('finds nothing between two orders of the same policy', async () => {
    const lines = policy.trimEnd().split('\n')
    const turned = [...lines.slice(0, 6), lines[7], lines[6], lines[8], lines[10], lines[9], ''].join('\n')
    expect(turned).not.toBe(policy)
    expect(await hfauth('policy', 'diff', file(policy), file(turned))).toEqual({
      code: 0,
      out: [],
      errors: '',
    })
  })

  test('tells the same as JSON, with the digests of both', async () => {
    const after = file(policy.replace('[read, infer]', '[read]'))
    const { out } = await hfauth('policy', 'diff', '--json', file(policy), after)
    const diff = JSON.parse(out.join('\n'))
    expect(diff.before.digest).not.toBe(diff.after.digest)
    expect([diff.removed.length, diff.added.length]).toEqual([1, 1])
    expect(diff.scopes).toEqual([
      { environment: 'development', before: expect.any(Array), after: expect.any(Array) },
    ])
  })

  test('takes two sound policies', async () => {
    expect((await hfauth('policy', 'diff', file(policy))).code).toBe(2)
    const { code, errors } = await hfauth('policy', 'diff', file(policy), file('version: 1'))
    expect(code).toBe(1)
    expect(errors).toContain('HFAUTH_POLICY_INVALID')
  })
})
