/**
 * Read revocation: a revocation from outside, taken only when it names something and is within bounds.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { isJsonObject } from '../internal/json-object.ts'
import type { Revocation } from './types.ts'

/** Longest name, in characters: `sub` is at most 255 (OpenID Connect Core 1.0 §2), addresses are longer. */
const maxNameLength = 2048

const members: Readonly<
  Record<Revocation['by'], readonly [required: readonly string[], optional: readonly string[]]>
> = {
  token: [['issuer', 'tokenId'], []],
  fingerprint: [['fingerprint'], []],
  session: [
    ['issuer', 'sessionId'],
    ['subject', 'before'],
  ],
  subject: [['issuer', 'subject'], ['before']],
  issuer: [['issuer'], ['before']],
}

/**
 * Copies what a revocation may have; a member that is unknown or of another type makes it none, because
 * what was meant would not happen.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID`.
 */
export function readRevocation(value: unknown): Revocation {
  const by = isJsonObject(value) ? (value.by as Revocation['by']) : undefined
  if (!isJsonObject(value) || by === undefined || !Object.hasOwn(members, by)) {
    throw invalid('`by` must be token, fingerprint, session, subject or issuer')
  }
  const [required, optional] = members[by]
  const copy: Record<string, unknown> = { by }
  for (const [name, member] of Object.entries(value)) {
    if (name === 'by' || (member === undefined && optional.includes(name))) continue
    if (!required.includes(name) && !optional.includes(name)) throw invalid(`it has an unknown member`)
    if (!isMember(name, member)) throw invalid(`\`${name}\` is malformed`)
    copy[name] = member
  }
  const missing = required.find((name) => !Object.hasOwn(copy, name))
  if (missing !== undefined) throw invalid(`\`${missing}\` is missing`)
  return Object.freeze(copy) as unknown as Revocation
}

function isMember(name: string, value: unknown): boolean {
  if (name === 'before') return Number.isSafeInteger(value) && (value as number) >= 0
  if (typeof value !== 'string' || value === '' || value.length > maxNameLength) return false
  return name !== 'fingerprint' || /^[0-9a-f]{32}$/.test(value)
}

function invalid(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', `the revocation is not one: ${reason}`)
}
