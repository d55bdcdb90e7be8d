import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parsePolicy } from '@hfauth/core/yaml'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { buildScopesModule } from '../src/commands/scopes.ts'
import { buildTypesModule } from '../src/commands/types.ts'
import { run } from '../src/run.ts'

const folder = mkdtempSync(join(tmpdir(), 'hfauth-types-'))
const text = `version: 1
name: acme
issuers:
  hf: { preset: huggingface, issuer: "\${env.HF_ISSUER}", audience: "\${env.APP}" }
  okta: { preset: okta, issuer: https://acme.okta.com/oauth2/default, audience: api }
environments:
  development: { actions: [read, infer, write, edit] }
  production: { actions: [read, infer] }
resources:
  prompt: { actions: [read, edit] }
projects:
  vision: ["model:acme/vision-*", "dataset:acme/vision-*"]
roles:
  viewer: { allow: [{ actions: [read], on: ["model:acme/*", "prompt:team/**"] }] }
  engineer:
    extends: [viewer]
    allow:
      - { actions: [infer], on: [project:vision], when: { resource.gated: false } }
      - { actions: [write], on: ["model:acme/vision-*"], environments: [development] }
      - { actions: [delete, write], on: ["dataset:acme/*"] }
      - { actions: [read, write], on: ["bucket:acme/logs"], environments: [production] }
    deny: [{ actions: [read], on: ["kernel:acme/*"] }]
  owner: { allow: [{ actions: [edit], on: ["**:\${principal.username}/**"] }] }
  idle: { allow: [{ actions: [infer], on: ["space:acme/idle"] }] }
bindings:
  - { roles: [owner], to: { issuer: hf } }
  - { roles: [engineer], to: { issuer: okta, group: ml } }
`
const variables = { HF_ISSUER: 'https://huggingface.co', APP: 'app' }
const module = buildTypesModule(parsePolicy(text, { variables }))

const root = fileURLToPath(new URL('../', import.meta.url))
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts'],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUnusedLocals: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
}

/** Compiles programs that stand beside the generated module; answers with the errors of each by its name. */
function compile(programs: Readonly<Record<string, string>>, generated: string): Record<string, string> {
  const files = new Map(
    Object.entries({ ...programs, policy: generated }).map(([name, code]) => [
      join(root, `${name}.ts`),
      code,
    ]),
  )
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.readFile = (name) => files.get(name) ?? readFile(name)
  host.getSourceFile = (name, ...rest) => {
    const code = files.get(name)
    return code === undefined
      ? getSourceFile(name, ...rest)
      : ts.createSourceFile(name, code, ts.ScriptTarget.ES2023)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  const errors = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => ({
    name: file?.fileName,
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }))
  const of = (name: string) =>
    errors
      .filter((error) => error.name === join(root, `${name}.ts`))
      .map(({ message }) => message)
      .join('\n')
  return Object.fromEntries(['policy', ...Object.keys(programs)].map((name) => [name, of(name)]))
}

const asking = (question: string) => `
import type { Access } from '@hfauth/core'
import type { TypedAccess } from './policy.ts'
declare const own: Access
declare const user: string
const access: TypedAccess = own
export const answer: boolean = access.can(${question})
void user
`

const accepted = {
  'an action on a resource': "'infer', 'model:acme/vision-large'",
  'a name put together': "'read', `model:acme/${user}`",
  'a resource with attributes':
    "'infer', { type: 'dataset', id: 'acme/vision-1', attributes: { gated: false } }",
  'the facts of a request': "'read', 'prompt:team/a/b', { ip: '192.0.2.1' }",
  'what lies under one’s own name, of any type': "'edit', `space:${user}/app`",
  'an action that only one environment lets through': "'write', 'model:acme/vision-large'",
}

const refused = {
  'a misspelt action': "'raed', 'model:acme/x'",
  'an unknown type': "'read', 'modle:acme/x'",
  'a type on which the action is never allowed': "'infer', 'prompt:team/x'",
  'an id outside every pattern': "'infer', 'model:acme/text-small'",
  'an id outside every pattern, with attributes': "'infer', { type: 'model', id: 'acme/text-small' }",
  'an action that no role allows': "'run', 'model:acme/x'",
  'an action that no environment lets through': "'delete', 'dataset:acme/x'",
  'an action that is let through only where the statement does not apply': "'write', 'bucket:acme/logs'",
  'what a role denies': "'read', 'kernel:acme/x'",
  'what only a role allows that nobody has': "'infer', 'space:acme/idle'",
  'a resource nobody named': "'read'",
}

describe('the generated module', () => {
  const results = compile(
    Object.fromEntries(
      Object.entries({ ...accepted, ...refused }).map(([name, question]) => [name, asking(question)]),
    ),
    module,
  )

  test('compiles', () => {
    expect(results.policy).toBe('')
  })

  test.each(Object.keys(accepted))('lets through %s', (name) => {
    expect(results[name]).toBe('')
  })

  test.each(Object.keys(refused))('does not let through %s', (name) => {
    expect(results[name]).toMatch(/^(?:Argument of type|Type|Expected|Source has)/)
  })

  test('names what the policy has, sorted', () => {
    const names = `
import type { HubType } from '@hfauth/core'
import type { PolicyAction, PolicyEnvironment, PolicyIssuer, PolicyProject, PolicyResourceType, PolicyRole } from './policy.ts'
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
export const same: [
  Same<PolicyRole, 'engineer' | 'owner' | 'viewer'>,
  Same<PolicyEnvironment, 'development' | 'production'>,
  Same<PolicyIssuer, 'hf' | 'okta'>,
  Same<PolicyProject, 'vision'>,
  Same<PolicyAction, 'edit' | 'infer' | 'read' | 'write'>,
  Same<PolicyResourceType, HubType | 'prompt'>,
] = [true, true, true, true, true, true]
`
    expect(compile({ names }, module).names).toBe('')
    expect(module).toContain(`export interface PolicyGrants {
  "edit": \`\${PolicyResourceType}:\${string}/\${string}\`
  "infer":
    | \`dataset:acme/vision-\${string}\`
    | \`model:acme/vision-\${string}\`
  "read":
`)
  })

  test('is the same for the same policy in another order, and says from which it came', () => {
    const policy = parsePolicy(text, { variables })
    const { roles, environments, ...rest } = policy.document
    const reversed = (mapping: object) => Object.fromEntries(Object.entries(mapping).reverse())
    const again = parsePolicy(
      JSON.stringify({
        ...rest,
        roles: reversed(roles),
        environments: reversed(environments),
        bindings: [...rest.bindings].reverse(),
      }),
    )
    expect(buildTypesModule(again)).toBe(module)
    expect(module.split('\n', 1)[0]).toBe(
      `// Generated by \`hfauth types\` from the policy "acme", ${policy.reference.digest}. Do not edit.`,
    )
  })

  test('of a policy that allows nothing compiles, and lets no question through', () => {
    const nothing = 'version: 1\nname: "*/ \\n`"\nissuers: {}\nenvironments: {}\nroles: {}\nbindings: []\n'
    const results = compile(
      { asked: asking("'read', 'model:acme/x'") },
      buildTypesModule(parsePolicy(nothing)),
    )
    expect(results.policy).toBe('')
    expect(results.asked).not.toBe('')
  })

  test.each(['\u2028', '\u2029', '\n', '\r'])('keeps a name with %j in it in its comment', (end) => {
    const named = parsePolicy(text.replace('name: acme', `name: ${JSON.stringify(`x${end}run() // `)}`), {
      variables,
    })
    for (const built of [buildTypesModule(named), buildScopesModule(named)]) {
      expect(built).not.toMatch(/^run/m)
      expect(built.split(/[\n\r\u2028\u2029]/)[0]).toMatch(/run\(\) \/\/ .*Do not edit\.$/)
    }
  })

  test('keeps a character of an id that a template would take for its own', () => {
    const odd = text.replace('"space:acme/idle"', '"space:acme/`x`-*"').replace('[owner]', '[owner, idle]')
    const results = compile(
      { asked: asking("'infer', 'space:acme/`x`-1'") },
      buildTypesModule(parsePolicy(odd, { variables })),
    )
    expect(results).toEqual({ policy: '', asked: '' })
  })
})

describe('hfauth types', () => {
  const policyFile = join(folder, 'hfauth.policy.yaml')
  writeFileSync(policyFile, text)

  async function types(...args: string[]) {
    const out: string[] = []
    const errors: string[] = []
    const code = await run(['types', ...args], {
      out: (line) => out.push(line),
      error: (line) => errors.push(line),
      env: {},
      signal: AbortSignal.abort(),
    })
    return { code, out: out.join('\n'), errors: errors.join('\n') }
  }

  test('prints the module, and needs no variable of the policy for it', async () => {
    const { code, out } = await types(policyFile)
    expect(code).toBe(0)
    expect(out.split('\n').slice(1).join('\n')).toBe(module.trimEnd().split('\n').slice(1).join('\n'))
  })

  test('needs none either where its value must have a form of its own', async () => {
    const withTenants = join(folder, 'tenants.policy.yaml')
    const issuer = 'ci: { preset: github-actions, audience: x, tenants: ["${env.OWNER}"] }'
    writeFileSync(withTenants, text.replace('issuers:\n', `issuers:\n  ${issuer}\n`))
    expect(await types(withTenants)).toMatchObject({ code: 0, errors: '' })
  })

  test('writes a file, and `--check` holds it against the policy', async () => {
    const out = join(folder, 'policy.ts')
    expect(await types(policyFile, '--out', out, '--check')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('is not there; write it with `hfauth types'),
    })
    expect((await types(policyFile, '--out', out)).code).toBe(0)
    expect(readFileSync(out, 'utf8')).toBe(`${(await types(policyFile)).out}\n`)
    expect(await types(policyFile, '--out', out, '--check')).toMatchObject({ code: 0, errors: '' })

    writeFileSync(out, readFileSync(out, 'utf8').replaceAll('\n', '\r\n'))
    expect((await types(policyFile, '--out', out, '--check')).code).toBe(0)

    const changed = join(folder, 'changed.policy.yaml')
    writeFileSync(changed, text.replace('actions: [infer], on', 'actions: [edit], on'))
    const before = readFileSync(out, 'utf8')
    expect(await types(changed, '--out', out, '--check')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('is not what'),
    })
    expect(readFileSync(out, 'utf8')).toBe(before)
  })

  test('refuses `--check` without a file to look at, a policy with faults and one that is not there', async () => {
    expect(await types(policyFile, '--check')).toMatchObject({ code: 2, out: '' })
    const broken = join(folder, 'broken.policy.yaml')
    writeFileSync(broken, text.replace('[viewer]', '[viewr]'))
    expect(await types(broken)).toMatchObject({ code: 1, out: '', errors: expect.stringContaining('viewr') })
    expect((await types(join(folder, 'none.yaml'))).errors).toContain('HFAUTH_CONFIG_INVALID')
  })
})
