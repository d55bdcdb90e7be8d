/** Order in the file never matters: what two spellings of the same sets have in common. */
import { describe, expect, test } from 'vitest'
import { createEngine, type PolicyDocument } from '../src/index.ts'
import { now, policyOf, principalOf } from './support.ts'

describe('the digest is the same whatever the order', () => {
  test.each<[string, (order: (set: string[]) => string[]) => Partial<PolicyDocument>]>([
    [
      'of a ceiling’s actions',
      (order) => ({ environments: { production: { actions: order(['read', 'infer']) } } }),
    ],
    [
      'of the issuers that are exempt',
      (order) => ({
        environments: { production: { require: { 'principal.mfa': true }, exempt: order(['okta', 'oidc']) } },
      }),
    ],
    ['of a type’s own actions', (order) => ({ resources: { prompt: { actions: order(['read', 'edit']) } } })],
    [
      'of what a scope covers',
      (order) => ({
        scopes: { all: { actions: order(['read', 'infer']), on: order(['model:**', 'dataset:**']) } },
      }),
    ],
    [
      'of routes',
      (order) => ({
        routes: order(['GET /v1/:name', 'GET /v1/x']).map((match) => ({
          match,
          action: 'read',
          resource: 'model:acme/x',
        })),
      }),
    ],
    ['of a project’s patterns', (order) => ({ projects: { all: order(['model:**', 'dataset:**']) } })],
    [
      'of the roles a role extends',
      (order) => ({ roles: { a: {}, b: {}, c: { extends: order(['a', 'b']) } } }),
    ],
  ])('%s', (_, document) => {
    const digests = [policyOf(document((set) => set)), policyOf(document((set) => [...set].reverse()))].map(
      ({ reference }) => reference.digest,
    )
    expect(digests[0]).toBe(digests[1])
  })
})

test('a ceiling of `*` leaves every statement within reach', () => {
  const policy = policyOf({
    environments: { production: { actions: ['*', 'delete'] } },
    roles: { reader: { allow: [{ actions: ['read'], on: ['model:**'] }] } },
    bindings: [{ roles: ['reader'], to: { issuer: 'oidc' } }],
  })
  const access = createEngine(policy, { environment: 'production', now: () => now }).for(
    principalOf('oidc', {}),
  )
  expect(access.can('read', 'model:acme/x')).toBe(true)
})
