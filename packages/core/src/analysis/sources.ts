/**
 * Sources: where a fact that a condition asks for comes from, in somebody's claims, a resource or a request.
 *
 * A proof looks for values of claims and attributes, not of facts: `principal.groups` and `claims.groups` are
 * two views of one claim.
 *
 * @module
 */
import { principalFact } from '../compile/facts.ts'
import type { FactPath } from '../policy/condition.ts'
import { listClaim, mfaClaim, scopeClaim, textClaim, timeClaim } from '../principal/claims.ts'
import type { Preset } from '../principal/preset.ts'
import { anonymous } from '../principal/principal.ts'
import type { Json } from '../types.ts'

/** What a variable's value is to whoever asks; `undefined` where it says nothing. */
export interface View {
  readonly name:
    | 'whole'
    | 'text'
    | 'subject'
    | 'time'
    | 'truth'
    | 'texts'
    | 'factors'
    | 'scopes'
    | 'owner'
    | 'name'
  /** Text that stands before the value. */
  readonly prefix?: string
  read(value: Json | undefined): Json | undefined
}

export interface Source {
  readonly variable: string
  readonly view: View
}

export type Place =
  | { readonly constant: Json | undefined }
  /** The first source that says something counts; `verified` has to be true as well. */
  | { readonly sources: readonly Source[]; readonly verified?: Source }

/** Somebody of an issuer, or nobody known. */
export type Asker = { readonly alias: string; readonly preset: Preset } | undefined

export const idVariable = 'id'
export const clockVariable = 'clock'
/** The time that conditions see; the context may tell another than the clock. */
export const timeVariable = 'context.time'
/** Memberships, as conditions see them. */
export const orgsVariable = 'orgs'
/** Members that presets make of several claims, as conditions see them. */
export const subjectVariable = 'subject'
export const groupsVariable = 'groups'
export const verifiedVariable = 'verified'

export function placeOf({ root, name }: FactPath, asker: Asker, type: string): Place {
  switch (root) {
    case 'resource':
      if (name === 'type') return { constant: type }
      if (name === 'id') return from(idVariable, whole)
      if (name === 'owner') return from(idVariable, owner)
      return name === 'name' ? from(idVariable, nameInId) : from(`resource.${name}`, whole)
    case 'context':
      return from(`context.${name}`, whole)
    case 'element':
      return from(`element.${name}`, whole)
    case 'claims':
      return asker === undefined ? { constant: undefined } : from(claim(name), whole)
    case 'principal':
      if (asker === undefined) return { constant: principalFact(anonymous, name) }
      return placeOfPrincipal(name, asker)
  }
}

function placeOfPrincipal(name: string, { alias, preset }: NonNullable<Asker>): Place {
  if (name.startsWith('claims.')) return from(claim(name.slice('claims.'.length)), whole)
  if (name === 'kind') return { constant: preset.kind }
  if (name === 'issuer') return { constant: alias }
  const { reads, subjectClaims } = preset
  const isUser = preset.kind === 'user'
  const read = (member: string | undefined, view: View): Place =>
    member === undefined ? { constant: undefined } : from(claim(member), view)
  switch (name) {
    case 'id': {
      const subject = subjectOf(alias)
      // What is joined of several claims is a text of its own.
      if (subjectClaims.some((names) => names.length > 1)) return from(subjectVariable, subject)
      return { sources: subjectClaims.flat().map((each) => ({ variable: claim(each), view: subject })) }
    }
    case 'issuedAt':
      return from(claim('iat'), time)
    case 'expiresAt':
      return from(claim('exp'), time)
    case 'username':
      return read(reads.username, text)
    case 'name':
      return read(reads.name, text)
    case 'email':
      if (reads.email === undefined) return { constant: undefined }
      return {
        sources: [{ variable: claim('email'), view: text }],
        verified: { variable: verifiedIn(preset), view: truth },
      }
    case 'emailVerified':
      return reads.email === undefined ? { constant: undefined } : from(verifiedIn(preset), truth)
    case 'mfa':
      return isUser ? from(claim('amr'), factors) : { constant: undefined }
    case 'authTime':
      return isUser ? from(claim('auth_time'), time) : { constant: undefined }
    case 'groups':
      if (reads.groups !== undefined && preset.groupsUnknownWith !== undefined)
        return from(groupsVariable, texts)
      return read(reads.groups, texts)
    case 'scopes':
      return reads.scopes === undefined
        ? { constant: undefined }
        : { sources: reads.scopes.map((each) => ({ variable: claim(each), view: scopes })) }
    case 'orgs':
      return preset.huggingface ? from(orgsVariable, whole) : { constant: undefined }
    default:
      return { constant: undefined }
  }
}

/** Where other claims decide as well, the member is a variable of its own, so that nothing is ruled out. */
function verifiedIn({ reads }: Preset): string {
  return reads.email?.when === undefined ? claim(reads.email?.verified ?? '') : verifiedVariable
}

function claim(name: string): string {
  return `claims.${name}`
}

function from(variable: string, view: View): Place {
  return { sources: [{ variable, view }] }
}

/** Reads a value as the presets read the claim of any name. */
function reading(read: (claims: { readonly value: Json }) => Json | undefined) {
  return (value: Json | undefined) => (value === undefined ? undefined : read({ value }))
}

export const whole: View = { name: 'whole', read: (value) => value }
const text: View = { name: 'text', read: reading((claims) => textClaim(claims, 'value')) }
const truth: View = {
  name: 'truth',
  read: (value) => (typeof value === 'boolean' ? value : undefined),
}
const texts: View = { name: 'texts', read: reading((claims) => listClaim(claims, 'value')) }
const scopes: View = { name: 'scopes', read: reading((claims) => scopeClaim(claims, 'value')) }
const factors: View = { name: 'factors', read: reading((claims) => mfaClaim({ amr: claims.value })) }
const time: View = {
  name: 'time',
  read: reading((claims) => {
    const seconds = timeClaim(claims, 'value')
    return seconds === undefined ? undefined : seconds * 1000
  }),
}
const owner: View = {
  name: 'owner',
  read: (value) => (typeof value === 'string' ? value.slice(0, Math.max(0, value.indexOf('/'))) : undefined),
}
const nameInId: View = {
  name: 'name',
  read: (value) => (typeof value === 'string' ? value.slice(value.indexOf('/') + 1) : undefined),
}

function subjectOf(alias: string): View {
  const prefix = `${alias}|`
  return {
    name: 'subject',
    prefix,
    read: (value) => {
      const subject = text.read(value)
      return typeof subject === 'string' ? prefix + subject : undefined
    },
  }
}
