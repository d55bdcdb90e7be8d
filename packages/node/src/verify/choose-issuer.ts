/**
 * Choose issuer: whose token a JWT says it is, before anything in it is believed.
 *
 * compact JWT → **choose issuer** → keys. Whole texts are compared with what the policy spells out; the
 * choice only says whose keys have to have signed it.
 *
 * @module
 */
import {
  type Claims,
  HfAuthError,
  type Issuer,
  type IssuerAddress,
  type Preset,
  recordedText,
} from '@hfauth/core'
import { claim } from '../token/claims.ts'
import { readAudiences } from './check-claims.ts'

export interface ChosenIssuer {
  readonly issuer: Issuer
  readonly address: IssuerAddress
}

/**
 * By exact `iss`, then by audience; several aliases of one issuer differ only in whom its tokens are for.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when the token names no issuer; `HFAUTH_TOKEN_UNSUPPORTED` when
 * the policy has no such issuer whose JWTs are checked by published keys.
 */
export function chooseIssuer(payload: Claims, issuers: readonly Issuer[]): ChosenIssuer {
  const url = claim(payload, 'iss')
  if (typeof url !== 'string') throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the token names no issuer')
  const audiences = readAudiences(payload) ?? []
  let first: ChosenIssuer | undefined
  for (const issuer of issuers) {
    const address = issuer.addresses.find(({ iss }) => iss === url)
    if (address === undefined || issuer.preset.keys !== 'discovery') continue
    if (audiences.some((value) => issuer.audience.includes(value))) return { issuer, address }
    first ??= { issuer, address }
  }
  if (first !== undefined) return first
  throw new HfAuthError(
    'HFAUTH_TOKEN_UNSUPPORTED',
    `no issuer in the policy has the address \`${recordedText(url)}\``,
  )
}

/** Whether a JWT whose header does not say so is an access token: by what only such have. */
export function hasAccessMark(payload: Claims, { accessMark }: Preset): boolean {
  if (accessMark === undefined) return false
  const value = claim(payload, accessMark.claim)
  return accessMark.value === undefined ? value !== undefined : value === accessMark.value
}
