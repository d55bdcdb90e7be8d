/** What a page tells somebody who may not, from the decision of a snapshot. */
import {
  createEngine,
  definePolicy,
  loadSnapshot,
  type Preset,
  parsePolicy,
  presets,
  principalFromClaims,
  type Question,
} from '@hfauth/core'
import { describe, expect, test } from 'vitest'
import { type Help, helpFor } from '../src/index.ts'

const now = Date.parse('2026-09-01T10:00:00Z')
const policy = parsePolicy(
  definePolicy({
    version: 1,
    name: 'test',
    issuers: { hf: { preset: 'huggingface', audience: 'client-1' } },
    environments: {
      open: {},
      narrow: { actions: ['read'] },
      fresh: { maxTokenAge: '15m' },
      strong: { require: { 'principal.mfa': true } },
    },
    roles: {
      user: {
        allow: [
          { actions: ['read', 'write'], on: ['model:acme/*'] },
          { actions: ['infer'], on: ['model:acme/*'], when: { 'resource.gated': false } },
        ],
      },
    },
    bindings: [{ roles: ['user'], to: { issuer: 'hf' } }],
    deny: [{ actions: ['write'], on: ['model:acme/frozen'] }],
  }),
)

function helpIn(
  environment: string,
  question: Question,
  credential: 'id_token' | 'access_token' = 'id_token',
): Help {
  const principal = principalFromClaims({
    issuer: 'hf',
    preset: presets.get('huggingface') as Preset,
    credential,
    claims: {
      iss: 'https://huggingface.co',
      sub: 'ana',
      iat: now / 1000 - 3600,
      exp: now / 1000 + 3600,
      scope: 'openid read-repos',
    },
  })
  const snapshot = createEngine(policy, { environment, now: () => now })
    .for(principal)
    .snapshot()
  const session = { sub: 'ana', scopes: ['openid', 'read-repos'] } as never
  return helpFor(loadSnapshot(snapshot, { now: () => now }).decide(question), session)
}

describe('help for a decision', () => {
  const resource = 'model:acme/x'
  test.each<[string, Help, string, Question]>([
    ['an allow needs nothing', { kind: 'none' }, 'open', { action: 'read', resource }],
    [
      'no rule: somebody has to grant it',
      { kind: 'ask' },
      'open',
      { action: 'read', resource: 'model:other/x' },
    ],
    ['a denial', { kind: 'forbidden' }, 'open', { action: 'write', resource: 'model:acme/frozen' }],
    ['the ceiling of an environment', { kind: 'forbidden' }, 'narrow', { action: 'write', resource }],
    [
      'an attribute that was not told',
      { kind: 'attributes', names: ['resource.gated'] },
      'open',
      { action: 'infer', resource },
    ],
    [
      'a token too old',
      { kind: 'sign_in', options: { maxAgeSeconds: 900 } },
      'fresh',
      { action: 'read', resource },
    ],
    [
      'a sign-in too weak',
      { kind: 'sign_in', options: { acrValues: [expect.stringContaining('multi-factor')] } },
      'strong',
      { action: 'read', resource },
    ],
    ['an action that does not exist', { kind: 'wrong_question' }, 'open', { action: 'fly', resource }],
    [
      'an id that has no form',
      { kind: 'wrong_question' },
      'open',
      { action: 'read', resource: 'model:../x' },
    ],
  ])('%s', (_, help, environment, question) => {
    expect(helpIn(environment, question)).toEqual(help)
  })

  test('names the scopes that a new sign-in has to ask for, those held included', () => {
    expect(helpIn('open', { action: 'write', resource }, 'access_token')).toEqual({
      kind: 'sign_in',
      options: { scopes: ['openid', 'read-repos', 'write-repos'] },
    })
  })
})
