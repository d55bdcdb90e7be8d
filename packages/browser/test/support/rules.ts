/**
 * Rules: a policy with one role that everybody has, and what it comes to for one person.
 *
 * @module
 */
import {
  createEngine,
  type Policy,
  type PolicyDocument,
  type Preset,
  parsePolicy,
  presets,
  principalFromClaims,
  type Snapshot,
} from '@hfauth/core'

type Statement = NonNullable<PolicyDocument['roles'][string]['allow']>[number]

export function policyAllowing(...allow: Statement[]): Policy {
  return parsePolicy({
    version: 1,
    name: 'test',
    issuers: { hf: { preset: 'huggingface', audience: 'client-1' } },
    environments: { test: {} },
    roles: { user: { allow } },
    bindings: [{ roles: ['user'], to: { issuer: 'hf' } }],
  })
}

/** What a server decides by. @param environment - Default `test`. */
export function accessOf(policy: Policy, sub: string, environment = 'test') {
  const principal = principalFromClaims({
    issuer: 'hf',
    preset: presets.get('huggingface') as Preset,
    credential: 'id_token',
    claims: { iss: 'https://huggingface.co', sub },
  })
  return createEngine(policy, { environment }).for(principal)
}

/** What a page has of it. */
export function snapshotOf(policy: Policy, sub: string, environment?: string): Snapshot {
  return accessOf(policy, sub, environment).snapshot()
}
