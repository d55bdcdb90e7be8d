/**
 * hfauth, as the others are measured: one token in, and a refusal thrown.
 */
import { type Policy, parsePolicy } from '@hfauth/core'
import { createVerifier, type VerifierOptions } from '@hfauth/node'
import { audience } from './tokens.ts'

export type Check = (token: string) => unknown

/** @param keys - Pins the issuer's keys. */
export function policyFor(issuer: string, keys?: readonly object[]): Policy {
  return parsePolicy({
    version: 1,
    name: 'bench',
    issuers: {
      idp: {
        preset: 'oidc',
        issuer,
        audience,
        ...(keys === undefined ? {} : { keys: JSON.parse(JSON.stringify(keys)) }),
      },
    },
    environments: { production: {} },
    roles: {},
    bindings: [],
  })
}

export function hfauth(issuer: string, options: Partial<VerifierOptions> = {}): Check {
  const verifier = createVerifier({ ...options, policy: options.policy ?? policyFor(issuer) })
  return (token) => verifier.verify(token)
}
