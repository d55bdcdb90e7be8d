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
  viewer: { allow: [{ actions: [read, infer], on: ["model:acme/*"], when: { resource.gated: false } }] }
bindings: [{ roles: [viewer], to: { issuer: hf, org: acme } }]
tests:
  - name: a member
    principal: { issuer: hf, claims: { sub: "1", orgs: [{ sub: o, preferred_username: acme }] } }
    environment: production
    expect: { "read model:acme/x": allow, "infer model:acme/x": deny }
`
const claims = '{"sub":"1","orgs":[{"sub":"o","preferred_username":"acme"}]}'

function file(text: string): string {
  const path = join(mkdtempSync(join(folder, 'policy-')), 'hfauth.policy.yaml')
  writeFileSync(path, text)
  return path
}

async function hfauth(...args: string[]) {
  const out: string[] = []
  const errors: string[] = []
  const code = await run(args, {
    out: (line) => out.push(line),
    error: (line) => errors.push(line),
    env: { APP: 'app' },
    signal: AbortSignal.abort(),
  })
  return { code, out: out.join('\n'), errors: errors.join('\n') }
}

describe('hfauth policy check', () => {
  test('says that a sound policy is sound', async () => {
    const { code, out } = await hfauth('policy', 'check', file(policy))
    expect(code).toBe(0)
    expect(out).toMatch(/policy `acme` is sound: 1 roles, 1 bindings, 2 environments, sha256:[0-9a-f]{64}$/)
  })

  test('prints every fault as a line that editors make a link, and fails', async () => {
    const path = file(
      policy.replace('roles: [viewer]', 'roles: [viewr]').replace('resource.gated', 'resource.gatd'),
    )
    const { code, errors } = await hfauth('policy', 'check', path)
    expect(code).toBe(1)
    expect(errors.split('\n')).toEqual([
      `${path}:7:77: error: unknown attribute \`gatd\` of model, did you mean \`gated\`? (unknown_attribute)`,
      `${path}:8:22: error: unknown role \`viewr\`, did you mean \`viewer\`? (unknown_role)`,
    ])
  })

  test('prints warnings and passes', async () => {
    const { code, out } = await hfauth(
      'policy',
      'check',
      file(policy.replace('roles:\n', 'roles:\n  idle: {}\n')),
    )
    expect(code).toBe(0)
    expect(out).toContain('warning: role `idle` is bound to nobody (role_without_binding)')
  })

  test('fails on broken YAML and on a file that is not there, with a typed error and nothing else', async () => {
    expect(await hfauth('policy', 'check', file('roles: [\n'))).toMatchObject({ code: 1, out: '' })
    expect((await hfauth('policy', 'check', join(folder, 'none.yaml'))).errors).toMatch(
      /^cannot read the policy `.*none\.yaml` \(HFAUTH_CONFIG_INVALID\)$/,
    )
  })
})

describe('hfauth policy test', () => {
  test('passes when every example holds, and says why each came out as it did', async () => {
    const { code, out } = await hfauth('policy', 'test', file(policy))
    expect(code).toBe(0)
    expect(out).toMatch(/ok {3}read model:acme\/x: allowed, roles\.viewer\.allow#[0-9a-f]{8} at .*:7:\d+\n/)
    expect(out).toContain('ok   infer model:acme/x: environment_ceiling')
    expect(out).toContain('2 passed, 0 failed')
  })

  test('fails when one does not, and says what was expected', async () => {
    const { code, out } = await hfauth(
      'policy',
      'test',
      file(policy.replace('"infer model:acme/x": deny', '"infer model:acme/x": allow')),
    )
    expect(code).toBe(1)
    expect(out).toContain('FAIL infer model:acme/x: expected allow, but environment_ceiling')
  })

  test('fails when there is nothing to test', async () => {
    expect((await hfauth('policy', 'test', file(policy.slice(0, policy.indexOf('tests:'))))).code).toBe(1)
  })
})

describe('hfauth policy prove', () => {
  const invariants = `invariants:
  - name: nobody reads what others own
    never: { actions: [read], on: ["model:other/**"] }
  - name: nobody infers
    never: { actions: [infer], on: ["**"] }
`

  test('shows what is proved, and for what is not a request with the statements that allow it, and fails', async () => {
    const path = file(policy.replace('tests:\n', `${invariants}tests:\n`))
    const { code, out } = await hfauth('policy', 'prove', path)
    expect(code).toBe(1)
    expect(out).toMatch(
      /^nobody reads what others own\n {2}proved {3}production\n {2}proved {3}development\n/,
    )
    expect(out).toContain(
      'nobody infers\n  proved   production\n  BROKEN   development: infer model:acme/x\n',
    )
    expect(out).toMatch(/principal: issuer hf, claims \{.*"preferred_username":"acme".*\}\n/)
    expect(out).toContain('attributes: {"gated":false}\n')
    expect(out).toMatch(/allowed by: roles\.viewer\.allow#[0-9a-f]{8} at .*:7:\d+\n/)
    expect(out).toMatch(/through: bindings#[0-9a-f]{8} at .*:8:\d+\n/)
    expect(out).toMatch(/: 3 proved, 1 broken, 0 unknown$/)
  })

  test('passes when everything is proved, also as JSON', async () => {
    const proved = invariants.slice(0, invariants.indexOf('  - name: nobody infers'))
    const path = file(policy.replace('tests:\n', `${proved}tests:\n`))
    expect(await hfauth('policy', 'prove', path)).toMatchObject({ code: 0, errors: '' })
    const { code, out } = await hfauth('policy', 'prove', path, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out).proofs).toMatchObject([
      { invariant: 'nobody reads what others own', environment: 'production', holds: true },
      { invariant: 'nobody reads what others own', environment: 'development', holds: true },
    ])
  })

  test('prints a broken invariant with its counterexample as JSON', async () => {
    const path = file(policy.replace('tests:\n', `${invariants}tests:\n`))
    const { code, out } = await hfauth('policy', 'prove', path, '--json')
    expect(code).toBe(1)
    const proofs = JSON.parse(out).proofs as { holds: unknown; counterexample?: unknown }[]
    expect(proofs.filter(({ holds }) => holds === false)).toMatchObject([
      {
        counterexample: {
          action: 'infer',
          resource: { type: 'model', id: 'acme/x' },
          decision: { allowed: true },
        },
      },
    ])
  })

  test('fails when there is nothing to prove', async () => {
    const { code, errors } = await hfauth('policy', 'prove', file(policy))
    expect(code).toBe(1)
    expect(errors).toContain('no invariants')
  })
})

describe('hfauth explain', () => {
  const explain = (path: string, ...args: string[]) => hfauth('explain', '--policy', path, ...args)
  const path = file(policy)

  test('shows the decision, the roles and bindings behind it, and every statement considered', async () => {
    const { code, out } = await explain(
      path,
      '--environment',
      'production',
      '--issuer',
      'hf',
      '--claims',
      claims,
      'read model:acme/x',
    )
    expect(code).toBe(1)
    expect(out).toContain('DENY read model:acme/x in production: condition_unknown')
    expect(out).toContain('principal  hf|1, roles viewer')
    expect(out).toContain('missing    resource.gated')
    expect(out).toMatch(
      /considered roles\.viewer\.allow#\w+ \(allow\) on acme\/\*: unknown, for want of resource\.gated/,
    )
  })

  test('names who acts for whom, and who of them may not', async () => {
    const acting = JSON.stringify({ ...JSON.parse(claims), act: { sub: '2', act: { sub: '3' } } })
    const where = ['--environment', 'production', '--issuer', 'hf', '--attributes', '{"gated":false}']
    const { code, out } = await explain(path, ...where, '--claims', acting, 'read model:acme/x')
    expect(code).toBe(1)
    expect(out).toContain('acting     hf|2 for hf|3 for hf|1; refused is hf|2')
  })

  test('shows each test with what it met, and what would turn the denial', async () => {
    const attributes = ['--attributes', '{"gated":true}']
    const as = ['--environment', 'production', '--issuer', 'hf', '--claims', claims, ...attributes]
    const { out } = await explain(path, ...as, 'read model:acme/x')
    expect(out).toContain('\n    resource.gated $eq false: does not hold, it is true')
    expect(out).toContain('\n  remedy     if resource.gated were false\n')
    const other = await explain(path, ...as, 'read model:other/x')
    expect(other.out).toMatch(/on acme\/\*: pattern does not match at .*:7:\d+\n/)
    expect(other.out).toContain('remedy     none was found')
    const ceiling = await explain(path, ...as, 'infer model:acme/x')
    expect(ceiling.out).toContain('remedy     if resource.gated were false, and in development')
  })

  test('names the role that is lacking', async () => {
    const as = ['--environment', 'development', '--issuer', 'hf', '--claims', '{"sub":"2"}']
    const { out } = await explain(path, ...as, '--attributes', '{"gated":false}', 'read model:acme/x')
    expect(out).toContain('\n  remedy     be bound to role viewer\n')
  })

  test('exits 0 for what is allowed', async () => {
    const attributes = ['--attributes', '{"gated":false}']
    const { code, out } = await explain(
      path,
      '--environment',
      'production',
      '--issuer',
      'hf',
      '--claims',
      claims,
      ...attributes,
      'read model:acme/x',
    )
    expect(code).toBe(0)
    expect(out).toContain('ALLOW read model:acme/x in production: allowed')
  })

  test('answers for someone without a credential, and as JSON', async () => {
    const { out } = await explain(
      path,
      '--environment',
      'production',
      '--anonymous',
      '--json',
      'read model:acme/x',
    )
    expect(JSON.parse(out)).toMatchObject({ decision: { reason: 'authentication_required' } })
  })

  test.each([
    ['no environment', ['--anonymous', 'read model:acme/x'], 2, /`--environment` is missing/],
    [
      'an unknown environment',
      ['--environment', 'prod', '--anonymous', 'read model:acme/x'],
      1,
      /no environment `prod`.*HFAUTH_ENVIRONMENT_UNKNOWN/,
    ],
    [
      'an unknown issuer',
      ['--environment', 'production', '--issuer', 'okta', 'read model:acme/x'],
      2,
      /must be one of `hf`/,
    ],
    ['no question', ['--environment', 'production', '--anonymous'], 2, /the question is missing/],
    [
      'claims that are no JSON',
      ['--environment', 'production', '--issuer', 'hf', '--claims', '{', 'read model:acme/x'],
      1,
      /HFAUTH_JSON_INVALID/,
    ],
    [
      'claims that are no object',
      ['--environment', 'production', '--issuer', 'hf', '--claims', '[]', 'read model:acme/x'],
      2,
      /takes a JSON object/,
    ],
    ['an option that is not there', ['--enviroment', 'production'], 2, /Unknown option/],
  ])('refuses %s', async (_, args, code, message) => {
    const result = await explain(path, ...args)
    expect(result.code).toBe(code)
    expect(result.errors).toMatch(message)
  })
})

describe('what a policy or somebody’s claims say', () => {
  const hostile = 'x\u001b[2J\u009b1A\u202e\n::error::passed'
  const written = JSON.stringify(hostile)
  const named = policy
    .replace('name: acme', `name: ${written}`)
    .replace('name: a member', `name: ${written}`)
    .replace('viewer: { allow: [', `viewer: { allow: [{ actions: [write], on: ["model:acme/*"] }], deny: [`)
    .replace('when: { resource.gated: false }', `reason: ${written}, when: { context.x: ${written} }`)
  const invariant = `\ninvariants: [{ name: ${written}, never: { actions: [write], on: ["**"] } }]\n`
  const other = named.replace('org: acme', `org: ${written}`)
  const broken = named.replace('org: acme', `${written}: acme`).replace('name: x', `${written}: x`)
  const asked = ['--environment', 'development', 'write model:acme/x']
  const supposed = ['--issuer', 'hf', '--claims', JSON.stringify({ ...JSON.parse(claims), sub: hostile })]

  test.each<[string, () => string[]]>([
    ['policy check', () => ['policy', 'check', file(named)]],
    ['policy check, of faults', () => ['policy', 'check', file(broken)]],
    ['policy test', () => ['policy', 'test', file(named)]],
    ['policy test, of faults', () => ['policy', 'test', file(broken)]],
    ['policy prove', () => ['policy', 'prove', file(named + invariant)]],
    ['policy diff', () => ['policy', 'diff', file(named), file(other)]],
    ['who-can', () => ['who-can', '--policy', file(other), ...asked]],
    ['explain', () => ['explain', '--policy', file(named), ...supposed, ...asked]],
  ])('moves no cursor and begins no line of `%s`', async (_, args) => {
    const lines: string[] = []
    const print = (line: string) => void lines.push(line)
    const io = { out: print, error: print, env: { APP: 'app' }, signal: AbortSignal.abort() }
    await run(args(), io)
    expect(lines.join(' ')).toContain('::error::passed')
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\u202e]|^::/u)
  })
})

describe('hfauth', () => {
  test('lists its commands, and exits 2 for one that it does not have', async () => {
    expect(await hfauth('help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('hfauth policy check'),
    })
    expect(await hfauth('polcy')).toMatchObject({
      code: 2,
      out: '',
      errors: expect.stringContaining('usage:'),
    })
    expect(await hfauth('explain', '--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('hfauth explain'),
    })
  })
})

describe('hfauth dev-hub', () => {
  test('starts a Hugging Face on this machine, prints where it is, and ends when told to', async () => {
    const { code, out } = await hfauth('dev-hub', '--port', '0')
    expect(code).toBe(0)
    expect(out).toMatch(/http:\/\/127\.0\.0\.1:\d+/)
    expect(out).toContain('people: ana, ben, cleo, dan')
  })

  test('refuses what is no port', async () => {
    expect(await hfauth('dev-hub', '--port', 'http')).toMatchObject({ code: 2 })
  })
})
