import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePolicy } from '@hfauth/core'
import { parsePolicy as parseYaml } from '@hfauth/core/yaml'
import { beforeEach, describe, expect, test } from 'vitest'
import { run } from '../src/run.ts'

const text = `version: 1
name: acme
issuers:
  hf: { preset: huggingface, audience: "\${env.APP}" }
  ci: { preset: github-actions, audience: [https://hub.acme.example], tenants: ["1001"] }
environments: { production: { actions: [read], maxTokenAge: 8h }, development: {} }
roles:
  viewer: &viewer { allow: [{ actions: [read, infer], on: ["model:acme/*"], when: { resource.gated: false } }] }
  reader: *viewer
bindings:
  - { roles: [viewer, reader], to: { issuer: hf, org: acme } }
deny: [{ actions: ["*"], on: ["model:*/**"], when: { resource.tags: { $contains: secret } } }]
tests:
  - { name: outsiders read nothing, principal: { issuer: hf, claims: { sub: "1" } }, environment: production, expect: { "read model:acme/x": deny } }
`
const variables = { APP: 'app-1' }

let folder: string
let yaml: string
let json: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hfauth-build-'))
  yaml = join(folder, 'hfauth.policy.yaml')
  json = join(folder, 'policy.json')
  writeFileSync(yaml, text)
})

async function build(env: Readonly<Record<string, string>>, ...args: string[]) {
  const out: string[] = []
  const errors: string[] = []
  const io = { out: (line: string) => out.push(line), error: (line: string) => errors.push(line) }
  const code = await run(['policy', 'build', ...args], { ...io, env, signal: AbortSignal.abort() })
  return { code, out: out.join('\n'), errors: errors.join('\n') }
}

describe('hfauth policy build', () => {
  test('writes JSON that is the same policy, digest and all, where nothing is filled in any more', async () => {
    expect(await build(variables, yaml, '--out', json)).toMatchObject({ code: 0, out: `${json}: written` })
    const written = readFileSync(json, 'utf8')
    const built = parsePolicy(written)
    expect(built.reference).toEqual(parseYaml(text, { variables }).reference)
    expect(built.issuers.get('hf')?.audience).toEqual(['app-1'])
    expect(written).not.toContain('${env.')
  })

  test('prints it without a file to write to', async () => {
    const { code, out } = await build(variables, yaml)
    expect(code).toBe(0)
    expect(parsePolicy(out).reference.name).toBe('acme')
  })

  test('with `--check` fails once the policy or a variable is another, and writes nothing', async () => {
    await build(variables, yaml, '--out', json)
    const before = readFileSync(json, 'utf8')
    expect((await build(variables, yaml, '--out', json, '--check')).code).toBe(0)
    expect((await build({ APP: 'app-2' }, yaml, '--out', json, '--check')).code).toBe(1)
    writeFileSync(yaml, text.replace('[read], maxTokenAge', '[read, infer], maxTokenAge'))
    expect((await build(variables, yaml, '--out', json, '--check')).code).toBe(1)
    expect(readFileSync(json, 'utf8')).toBe(before)
  })

  test('writes nothing of a policy that has faults, or a variable that nobody told', async () => {
    const unnamed = await build({}, yaml, '--out', json)
    expect(unnamed.code).not.toBe(0)
    expect(unnamed.errors).toContain('APP')
    writeFileSync(yaml, text.replace('roles: [viewer, reader]', 'roles: [viewr]'))
    const misspelt = await build(variables, yaml, '--out', json)
    expect(misspelt.code).not.toBe(0)
    expect(misspelt.errors).toContain('viewr')
    expect(existsSync(json)).toBe(false)
  })
})
