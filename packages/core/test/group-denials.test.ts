/** The parser's warning on denials that are bound by group, and so do not hold while groups are unknown. */
import { describe, expect, test } from 'vitest'
import { createEngine, parsePolicy } from '../src/index.ts'
import { parsePolicy as parseYaml } from '../src/yaml.ts'
import { now, principalOf } from './support.ts'

const head = `version: 1
name: groups
issuers:
  id: { preset: oidc, issuer: https://id.dev, audience: x }
  ci: { preset: github-actions, audience: x, tenants: ["1"] }
environments: { development: {}, production: {} }
`
const staff = `roles:
  staff: { allow: [{ actions: [read, write], on: ["model:acme/*"] }] }
  visitor: { deny: [{ actions: [write], on: ["model:acme/vision-*"] }] }
`
/** Whether somebody may change one of the models that visitors may not. */
function maySomebody(policy: string, groups: string[] | undefined): boolean {
  const engine = createEngine(parseYaml(head + policy), { environment: 'production', now: () => now })
  const somebody = principalOf('id', groups === undefined ? {} : { groups }, { preset: 'oidc' })
  return engine.for(somebody).can('write', 'model:acme/vision-1')
}

const found = (rest: string) =>
  parseYaml(`${head}${rest}`).warnings.filter(({ code }) => code === 'denial_by_group')

describe('a denial that is bound by group', () => {
  const bindings = `bindings:
  - { roles: [staff], to: { issuer: id } }
  - { roles: [visitor], to: { issuer: id, group: visitors } }
`

  test('is warned of at the group, with the binding that grants all the same, and with what to do', () => {
    const [warning, ...more] = found(staff + bindings)
    expect(more).toEqual([])
    expect(warning).toMatchObject({ path: 'bindings[1].to.group', line: 12 })
    expect(warning?.message).toContain('role `visitor`')
    expect(warning?.message).toContain('`bindings[0]` grants it')
    expect(warning?.message).toContain('`principal.groups: { $contains: … }`')
  })

  test('does not hold for whom groups are unknown, which is why', () => {
    const may = (groups?: string[]) => maySomebody(staff + bindings, groups)
    expect([may([]), may(['visitors']), may(undefined)]).toEqual([true, false, true])
  })

  test('is none any more when it is written as told', () => {
    const told = `roles:
  staff:
    allow: [{ actions: [read, write], on: ["model:acme/*"] }]
    deny: [{ actions: [write], on: ["model:acme/vision-*"], when: { principal.groups: { $contains: visitors } } }]
bindings: [{ roles: [staff], to: { issuer: id } }]
`
    expect(found(told)).toEqual([])
    const may = (groups?: string[]) => maySomebody(told, groups)
    expect([may([]), may(['visitors']), may(undefined)]).toEqual([true, false, false])
  })

  test('is found in a role that the bound one extends, for each such binding', () => {
    const extended = `${staff}  guest: { extends: [visitor] }
bindings:
  - { roles: [guest], to: { group: guests } }
  - { roles: [guest], to: { group: [others] } }
  - { roles: [staff], to: { issuer: id } }
`
    expect(found(extended).map(({ path }) => path)).toEqual(['bindings[0].to.group', 'bindings[1].to.group'])
  })
})

describe('nothing is warned of', () => {
  const denial = '{ actions: [write], on: ["model:acme/vision-*"] }'
  test.each([
    [
      'a role bound by group that only allows',
      `roles: { staff: { allow: [${denial}] } }
bindings: [{ roles: [staff], to: { issuer: id } }, { roles: [staff], to: { issuer: id, group: g } }]`,
    ],
    [
      'a denial of what the same binding alone grants, which is not granted then either',
      `roles: { staff: { allow: [{ actions: [write], on: ["model:acme/*"] }], deny: [${denial}] } }
bindings: [{ roles: [staff], to: { issuer: id, group: g } }]`,
    ],
    [
      'a grant that needs a group too',
      `${staff}bindings: [{ roles: [staff], to: { issuer: id, group: a } }, { roles: [visitor], to: { issuer: id, group: b } }]`,
    ],
    [
      'a grant to people of another issuer',
      `${staff}bindings: [{ roles: [staff], to: { issuer: ci } }, { roles: [visitor], to: { issuer: id, group: b } }]`,
    ],
    [
      'a grant to those without a credential',
      `${staff}bindings: [{ roles: [staff], to: { anonymous: true } }, { roles: [visitor], to: { issuer: id, group: b } }]`,
    ],
    [
      'a grant of other actions',
      `roles: { staff: { allow: [{ actions: [read], on: ["model:acme/*"] }] }, visitor: { deny: [${denial}] } }
bindings: [{ roles: [staff], to: { issuer: id } }, { roles: [visitor], to: { issuer: id, group: b } }]`,
    ],
    [
      'a grant on other resources',
      `roles: { staff: { allow: [{ actions: [write], on: ["model:other/*"] }] }, visitor: { deny: [${denial}] } }
bindings: [{ roles: [staff], to: { issuer: id } }, { roles: [visitor], to: { issuer: id, group: b } }]`,
    ],
    [
      'a grant in other environments',
      `roles:
  staff: { allow: [{ actions: [write], on: ["model:acme/*"], environments: [development] }] }
  visitor: { deny: [{ actions: [write], on: ["model:acme/*"], environments: [production] }] }
bindings: [{ roles: [staff], to: { issuer: id } }, { roles: [visitor], to: { issuer: id, group: b } }]`,
    ],
  ])('for %s', (_, rest) => {
    expect(found(rest)).toEqual([])
  })
})

test('thousands of bindings by group are looked at once for what they give', () => {
  const bindings = Array.from({ length: 5000 }, (_, i) => [
    { roles: ['visitor'], to: { issuer: 'id', group: `g${i}` } },
    { roles: ['staff'], to: { issuer: 'id', claims: { team: `t${i}` } } },
  ]).flat()
  const { warnings } = parsePolicy({
    version: 1,
    name: 'many',
    issuers: { id: { preset: 'oidc', issuer: 'https://id.dev', audience: 'x' } },
    environments: { production: {} },
    roles: {
      staff: { allow: [{ actions: ['write'], on: ['model:acme/*'] }] },
      visitor: { deny: [{ actions: ['write'], on: ['model:acme/*'] }] },
    },
    bindings,
  } as never)
  expect(warnings.filter(({ code }) => code === 'denial_by_group')).toHaveLength(5000)
})
