/**
 * Event subject: whom or what a security event is about, in the terms of our revocations.
 *
 * security event → **event subject** → revocation. A transmitter speaks for its own issuer: a subject of
 * any other is nobody's here.
 *
 * @see RFC 9493 (subject identifiers), OpenID Shared Signals Framework 1.0 §3 (complex subjects)
 * @module
 */
import type { Claims } from '@hfauth/core'
import { isJsonObject } from '../internal/json-object.ts'
import { claim } from '../token/claims.ts'
import type { Revocation } from './types.ts'

/** One subject of a transmitter's own issuer. */
export type FoundSubject =
  | { readonly subject: string }
  | { readonly sessionId: string; readonly subject?: string }
  | { readonly tokenId: string }

/**
 * Finds what an identifier stands for that is not the issuer's own: an e-mail address, an opaque id, a
 * refresh token's hash. Empty when it is unknown.
 */
export type FindSubjects = (identifier: Claims) => Promise<readonly FoundSubject[]>

export interface SubjectRules {
  /** Spellings of the issuer that are taken inside a subject. */
  readonly issuers: readonly string[]
  readonly findSubjects?: FindSubjects | undefined
}

/** Those that a subject identifier stands for; empty when nobody here. */
export async function subjectsOf(identifier: Claims, rules: SubjectRules): Promise<readonly FoundSubject[]> {
  const own = () => rules.issuers.includes(text(identifier, 'iss') ?? '')
  switch (text(identifier, 'format')) {
    case 'iss_sub':
    case 'id_token_claims': {
      const subject = text(identifier, 'sub')
      return own() && subject !== undefined ? [{ subject }] : []
    }
    case 'jwt_id': {
      const tokenId = text(identifier, 'jti')
      return own() && tokenId !== undefined ? [{ tokenId }] : []
    }
    case 'complex':
      return complexSubjects(identifier, rules)
    case 'aliases': {
      const list = claim(identifier, 'identifiers')
      for (const one of Array.isArray(list) ? list.slice(0, maxAliases) : []) {
        const found = isJsonObject(one) && one.format !== 'aliases' ? await subjectsOf(one, rules) : []
        if (found.length > 0) return found
      }
      return []
    }
    default:
      return (await rules.findSubjects?.(identifier)) ?? []
  }
}

const maxAliases = 10

/**
 * All members have to hold together. A session narrows a person down; a device or a tenant does too, but
 * is not known here, so that the person is taken whole: that ends more, never less.
 */
async function complexSubjects(identifier: Claims, rules: SubjectRules): Promise<readonly FoundSubject[]> {
  const [user, session] = [claim(identifier, 'user'), claim(identifier, 'session')]
  const people = isJsonObject(user) && user.format !== 'complex' ? await subjectsOf(user, rules) : []
  const sessionId = isJsonObject(session) ? text(session, 'id') : undefined
  if (sessionId === undefined) return people
  const [person] = people
  return [{ sessionId, ...(person !== undefined && 'subject' in person ? { subject: person.subject } : {}) }]
}

/** Older spellings made into today's: `subject_type`, hyphens, and complex subjects that do not say so. */
export function modernSubject(identifier: Claims): Claims {
  if (Object.hasOwn(identifier, 'format')) return identifier
  const type = text(identifier, 'subject_type')
  if (type !== undefined) return { ...identifier, format: type.replaceAll('-', '_') }
  const members = Object.entries(identifier).map(
    ([name, value]) => [name, isJsonObject(value) ? modernSubject(value) : value] as const,
  )
  return { ...Object.fromEntries(members), format: 'complex' }
}

export function revocationOf(found: FoundSubject, issuer: string, before: number): Revocation {
  if ('tokenId' in found) return { by: 'token', issuer, tokenId: found.tokenId }
  if ('sessionId' in found) return { by: 'session', issuer, before, ...found }
  return { by: 'subject', issuer, subject: found.subject, before }
}

function text(claims: Claims, name: string): string | undefined {
  const value = claim(claims, name)
  return typeof value === 'string' && value !== '' && value.length <= 512 ? value : undefined
}
