import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createEngine,
  HfAuthError,
  PolicyError,
  parsePolicy as parseJsonPolicy,
  runExamples,
} from '../src/index.ts'
import { parsePolicy } from '../src/yaml.ts'
import { now } from './support.ts'

const example = readFileSync(new URL('./example.policy.yaml', import.meta.url), 'utf8')
const options = { file: 'hfauth.policy.yaml', variables: { HF_CLIENT_ID: 'app' } }

function faultsOf(text: string, parse: typeof parsePolicy = parsePolicy) {
  try {
    parse(text, options)
  } catch (error) {
    if (error instanceof PolicyError) return error.faults
    throw error
  }
  return []
}

/** A fault as one line, for comparing. */
function shown(text: string) {
  return faultsOf(text).map(({ line, column, code, message }) => `${line}:${column} ${code}: ${message}`)
}

describe('the example of the specification', () => {
  test('has no fault and no warning', () => {
    expect(parsePolicy(example, options).warnings).toEqual([])
  })

  test('passes its own tests', () => {
    const results = runExamples(parsePolicy(example, options), { now })
    expect(results.map(({ question, decision }) => [question, decision.reason])).toEqual([
      ['infer model:acme/vision-large', 'allowed'],
      ['write model:acme/vision-large', 'no_matching_rule'],
    ])
    expect(results.every(({ passed }) => passed)).toBe(true)
  })

  test('an example that expects the wrong answer fails', () => {
    const wrong = example.replace(
      '"write model:acme/vision-large": deny',
      '"write model:acme/vision-large": allow',
    )
    const results = runExamples(parsePolicy(wrong, options), { now })
    expect(results.map(({ passed }) => passed)).toEqual([true, false])
  })

  test('is the same policy, to the digest, as JSON and as an object', () => {
    const policy = parsePolicy(example, options)
    const json = JSON.stringify(policy.document)
    expect(parseJsonPolicy(json, options).reference).toEqual(policy.reference)
    expect(parseJsonPolicy(policy.document).reference).toEqual(policy.reference)
    expect(parsePolicy(json, options).reference).toEqual(policy.reference)
  })

  test('has a digest that changes with its meaning and not with its order', () => {
    const policy = parsePolicy(example, options)
    const reordered = structuredClone(policy.document)
    reordered.bindings.reverse()
    reordered.roles = Object.fromEntries(Object.entries(reordered.roles).reverse())
    for (const role of Object.values(reordered.roles)) role.allow?.reverse()
    expect(parseJsonPolicy(reordered).reference.digest).toBe(policy.reference.digest)

    const changed = parsePolicy(example.replace('maxTokenAge: 15m', 'maxTokenAge: 16m'), options)
    expect(changed.reference.digest).not.toBe(policy.reference.digest)
  })
})

describe('faults', () => {
  test('are all found at once, each with its place, its code and what was probably meant', () => {
    const text = example
      .replace('preset: okta', 'preset: otka')
      .replace('extends: [viewer]', 'extends: [viewr]')
      .replace('model:acme/*", "dataset', 'modle:acme/*", "dataset')
      .replace('resource.gated', 'resource.gatd')
      .replace('$contains: not-for', '$contain: not-for')
      .replace('maxTokenAge: 15m', 'maxTokenAge: soon')
      .replace('until: 2027-01-31T00:00:00Z', 'until: 2027-02-31T00:00:00Z')
      .replace('environments: [development, staging]', 'environments: [develpment]')
      .replace('on: [project:vision] }\n\nroles', 'on: [project:visoin] }\n\nroles')
    expect(shown(text)).toEqual([
      '7:13 unknown_preset: unknown preset `otka`, did you mean `okta`?',
      '15:5 malformed_duration: `soon` is not a duration such as `15m`',
      '25:44 unknown_project: unknown project `visoin`, did you mean `vision`?',
      '29:37 unknown_type: unknown resource type `modle`, did you mean `model`?',
      '31:15 unknown_role: unknown role `viewr`, did you mean `viewer`?',
      '36:17 unknown_attribute: unknown attribute `gatd` of model, did you mean `gated`?',
      '37:24 unknown_environment: unknown environment `develpment`, did you mean `development`?',
      '48:81 malformed_time: `2027-02-31T00:00:00Z` is not a time such as `2027-01-31T00:00:00Z`',
      '53:30 unknown_operator: unknown operator `$contain`, did you mean `$contains`?',
    ])
  })

  const minimal = (parts: string) =>
    `version: 1\nname: x\nissuers: { hf: { preset: huggingface, audience: app } }\nenvironments: { production: {} }\n${parts}`
  const rest =
    'roles: { r: { allow: [{ actions: [read], on: ["model:*/*"] }] } }\nbindings: [{ roles: [r], to: { issuer: hf } }]\n'

  test.each([
    ['YAML that does not parse', 'roles: [unclosed\n', /^6:1 syntax/],
    ['a key that stands twice', `${rest}name: y\n`, '7:1 duplicate_key: duplicate key `name`'],
    ['an unknown key', `${rest}denny: []\n`, '7:1 unknown_key: unknown key `denny`, did you mean `deny`?'],
    ['a missing key', 'roles: {}\n', '1:1 missing_key: missing key `bindings`'],
    [
      'a list where a mapping belongs',
      'roles: []\nbindings: []\n',
      '5:1 wrong_type: expected a mapping, found a list',
    ],
    [
      'a text where a list belongs',
      'roles: { r: { allow: [{ actions: read, on: ["model:a/b"] }] } }\nbindings: []\n',
      '5:25 wrong_type: expected a list, found "read"',
    ],
    [
      'roles in a circle',
      'roles: { a: { extends: [b] }, b: { extends: [c] }, c: { extends: [a] } }\nbindings: [{ roles: [a], to: { issuer: hf } }]\n',
      '5:15 cycle: roles extend each other in a circle: `a` → `b` → `c` → `a`',
    ],
    [
      'a pattern without a type',
      rest.replace('model:*/*', 'acme/x'),
      /^5:\d+ malformed_pattern: pattern `acme\/x` lacks a type, as in `model:acme\/x`/,
    ],
    ['a pattern with a dot segment', rest.replace('model:*/*', 'model:acme/../x'), /malformed_pattern/],
    [
      'a placeholder that is not the principal’s',
      rest.replace('model:*/*', 'model:${env.HOME}/*'),
      /malformed_pattern/,
    ],
    [
      'a regular expression',
      `${rest}deny: [{ actions: [read], on: ["**"], when: { resource.path: { $regex: "a+" } } }]\n`,
      '7:64 unknown_operator: unknown operator `$regex`',
    ],
    [
      'an operator without its value',
      `${rest}deny: [{ actions: [read], on: ["**"], when: { resource.tags: { $in: secret } } }]\n`,
      '7:64 malformed_condition: `$in` takes a list of plain values',
    ],
    [
      'an empty condition',
      `${rest}deny: [{ actions: [read], on: ["**"], when: { resource.tags: {} } }]\n`,
      /malformed_condition: an empty condition holds for everything/,
    ],
    [
      'a range that is none',
      `${rest}deny: [{ actions: [read], on: ["**"], when: { context.ip: { $cidr: 10.0.0.0/64 } } }]\n`,
      /malformed_condition: `\$cidr` takes an address range/,
    ],
    [
      'a glob taken from the caller',
      `${rest}deny: [{ actions: [read], on: ["**"], when: { resource.path: { $glob: { $ref: principal.username } } } }]\n`,
      /malformed_condition: `\$glob` takes a pattern/,
    ],
    [
      'a condition on nothing known',
      `${rest}deny: [{ actions: [read], on: ["**"], when: { request.ip: x } }]\n`,
      /malformed_condition: `request.ip` does not begin with one of/,
    ],
    [
      'what partial evaluation alone may write',
      `${rest}deny: [{ actions: [read], on: ["**"], when: { $unknown: [x] } }]\n`,
      /unknown_operator: unknown operator `\$unknown`/,
    ],
    [
      'a statement that no environment lets through',
      rest.replace('on: ["model:*/*"]', 'on: ["model:*/*"], environments: []'),
      /unreachable_statement/,
    ],
    [
      'a statement that stands twice',
      rest.replace('allow: [', 'allow: [{ on: ["model:*/*"], actions: [read] }, '),
      /^5:\d+ duplicate: this statement stands here twice$/,
    ],
    [
      'a binding that stands twice',
      rest.replace('bindings: [', 'bindings: [{ to: { issuer: hf }, roles: [r] }, '),
      /^6:\d+ duplicate: this binding stands here twice$/,
    ],
    ['a binding of nobody', rest.replace('{ issuer: hf }', '{}'), /malformed_condition: names nobody/],
    [
      'a route that is none',
      `${rest}routes: [{ match: "FETCH /x", action: read, resource: "model:a/b" }]\n`,
      /malformed_route/,
    ],
    [
      'a route parameter from nowhere',
      `${rest}routes: [{ match: "GET /x/:name", action: read, resource: "model:acme/:nmae" }]\n`,
      /malformed_route: `:nmae`/,
    ],
    [
      'a test of a pattern',
      `${rest}tests: [{ name: t, principal: anonymous, environment: production, expect: { "read model:acme/*": deny } }]\n`,
      /malformed_pattern: an example names one resource/,
    ],
  ])('name %s', (_, parts, expected) => {
    const faults = shown(minimal(parts))
    if (typeof expected === 'string') expect(faults).toContain(expected)
    else expect(faults.join('\n')).toMatch(expected)
  })

  test.each([
    ['without audience', '{ preset: huggingface }', 'missing_audience'],
    ['with an empty audience', '{ preset: huggingface, audience: "" }', 'missing_audience'],
    ['with any audience', '{ preset: huggingface, audience: "*" }', 'wildcard_audience'],
    [
      'with a pattern for audiences',
      '{ preset: huggingface, audience: [x, "https://*.acme.dev"] }',
      'wildcard_audience',
    ],
    ['whose preset has no issuer of its own', '{ preset: okta, audience: x }', 'malformed_issuer'],
    [
      'not reached by https',
      '{ preset: oidc, issuer: "http://id.acme.dev", audience: x }',
      'malformed_issuer',
    ],
    [
      'with a query in its address',
      '{ preset: oidc, issuer: "https://id.acme.dev/?x", audience: x }',
      'malformed_issuer',
    ],
    [
      'with a variable nobody set',
      '{ preset: huggingface, audience: "${env.NOBODY_SET_THIS}" }',
      'unknown_variable',
    ],
  ])('refuse an issuer %s', (_, issuer, code) => {
    const text = `version: 1\nname: x\nissuers: { hf: ${issuer} }\nenvironments: { production: {} }\nroles: {}\nbindings: []\n`
    expect(faultsOf(text).map((fault) => fault.code)).toEqual([code])
  })

  test('give line and column in JSON as well', () => {
    const text =
      '{\n  "version": 1,\n  "name": "x",\n  "issuers": {},\n  "environments": {},\n  "roles": {},\n  "bindings": [{ "roles": ["nobody"], "to": { "kind": "user" } }]\n}'
    const [fault] = faultsOf(text, parseJsonPolicy)
    expect(fault).toMatchObject({
      line: 7,
      column: 28,
      code: 'unknown_role',
      path: 'bindings[0].roles[0]',
      file: 'hfauth.policy.yaml',
    })
  })

  test('stop an anchor bomb before it grows', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
      .join('\n')}`
    expect(faultsOf(bomb).map(({ code }) => code)).toEqual(['syntax'])
  })

  test('stop a file beyond the limit unread', () => {
    expect(faultsOf(`# ${'x'.repeat(6_000_000)}`).map(({ code }) => code)).toEqual(['too_large'])
  })

  test('refuse a key that would change a prototype', () => {
    expect(faultsOf('version: 1\n__proto__: { a: 1 }\n').map(({ message }) => message)).toContain(
      'unsafe key `__proto__`',
    )
  })

  test('are a typed error that lists them and says that trying again cannot help', () => {
    const error = (() => {
      try {
        parsePolicy('version: 2\n')
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(HfAuthError)
    expect(error).toMatchObject({ code: 'HFAUTH_POLICY_INVALID', retryable: false, name: 'PolicyError' })
    expect((error as Error).message).toContain(
      'policy:1:1 expected `1`, found 2 (wrong_type)'.replace('`1`', '1'),
    )
  })

  test('no text makes parsing throw anything but a PolicyError', () => {
    const lines = example.split('\n')
    fc.assert(
      fc.property(
        fc.nat(lines.length - 1),
        fc.nat(120),
        fc.string({ maxLength: 12 }),
        (line, column, inserted) => {
          const broken = [...lines]
          broken[line] = `${broken[line]?.slice(0, column)}${inserted}${broken[line]?.slice(column)}`
          try {
            parsePolicy(broken.join('\n'), options)
          } catch (error) {
            expect(error).toBeInstanceOf(PolicyError)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('warnings', () => {
  const policyWith = (to: string, extra = '') =>
    parsePolicy(
      `version: 1
name: x
issuers: { ci: { preset: github-actions, audience: x }, id: { preset: oidc, issuer: https://id.dev, audience: x } }
environments: { production: {} }
roles: { r: { allow: [{ actions: [read], on: ["model:a/b"] }] }${extra} }
bindings: [{ roles: [r], to: ${to} }]`,
    ).warnings.map(({ code, line, column }) => `${line}:${column} ${code}`)

  test.each([
    [
      'a wildcard before the repository',
      '{ issuer: ci, claims: { sub: { $glob: "repo:*" } } }',
      '6:54 claim_chosen_by_attacker',
    ],
    [
      '`pull_request_target`',
      '{ issuer: ci, claims: { event_name: pull_request_target } }',
      '6:54 claim_chosen_by_attacker',
    ],
    [
      'an e-mail claim that may be unverified',
      '{ issuer: id, claims: { email: a@b.dev } }',
      '6:54 claim_chosen_by_attacker',
    ],
    ['an e-mail address from any issuer', '{ email: a@b.dev }', '6:32 claim_chosen_by_attacker'],
  ])('tell of %s', (_, to, expected) => {
    expect(policyWith(to)).toEqual([expected])
  })

  test('tell of a role bound to nobody, and of everything on everything', () => {
    expect(policyWith('{ issuer: ci }', ', god: { allow: [{ actions: ["*"], on: ["**"] }] }')).toEqual([
      '5:81 everything_on_everything',
      '5:66 role_without_binding',
    ])
  })
})

test('an environment that the policy does not have is a typed error with the nearest name', () => {
  const policy = parsePolicy(example, options)
  expect(() => createEngine(policy, { environment: 'prodution' })).toThrow(
    expect.objectContaining({
      code: 'HFAUTH_ENVIRONMENT_UNKNOWN',
      message: 'policy `acme-models` has no environment `prodution`, did you mean `production`?',
    }),
  )
})
