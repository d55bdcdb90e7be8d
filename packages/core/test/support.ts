/**
 * What the tests of core share: a clock that stands still, and principals by their claims.
 */
import {
  type Claims,
  createEngine,
  type Policy,
  type PolicyAccess,
  type PolicyDocument,
  type Principal,
  parsePolicy,
  presets,
  principalFromClaims,
} from '../src/index.ts'

/** 2026-06-01T12:00:00Z */
export const now = 1_780_315_200_000
export const nowSeconds = now / 1000

export function principalOf(
  issuer: string,
  claims: Claims,
  options: { preset?: string; credential?: 'id_token' | 'access_token' } = {},
): Principal {
  const preset = presets.get(options.preset ?? issuer)
  if (preset === undefined) throw new Error(`no preset ${options.preset ?? issuer}`)
  return principalFromClaims({
    issuer,
    preset,
    credential: options.credential ?? 'id_token',
    claims: { sub: 'ana', iat: nowSeconds, exp: nowSeconds + 3600, ...claims },
  })
}

/** A policy with one issuer of each preset, one environment, and whatever is given. */
export function policyOf(parts: Partial<PolicyDocument>): Policy {
  return parsePolicy({
    version: 1,
    name: 'test',
    issuers: {
      huggingface: { preset: 'huggingface', audience: 'app' },
      okta: { preset: 'okta', issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://models' },
      'github-actions': { preset: 'github-actions', audience: 'https://models.acme.dev' },
      oidc: { preset: 'oidc', issuer: 'https://id.acme.dev', audience: 'app' },
    },
    environments: { production: {}, development: {} },
    roles: {},
    bindings: [],
    ...parts,
  })
}

/** Access of someone whom every role of the policy is bound to. */
export function accessOf(
  parts: Partial<PolicyDocument>,
  principal: Principal = principalOf('oidc', {}),
  clock = now,
): PolicyAccess {
  const roles = Object.keys(parts.roles ?? {})
  const policy = policyOf({
    bindings: [{ roles, to: { issuer: ['oidc', 'okta', 'huggingface', 'github-actions'] } }],
    ...parts,
  })
  return createEngine(policy, { environment: 'production', now: () => clock }).for(principal)
}

export const reader = { reader: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] } }
