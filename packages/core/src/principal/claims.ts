/**
 * Claims: verified but untyped; these readers take a value only when it has the expected type.
 *
 * @module
 */
import type { Json } from '../types.ts'

export type Claims = { readonly [name: string]: Json }

export function textClaim(claims: Claims, name: string): string | undefined {
  const value = own(claims, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Epoch seconds (RFC 7519 NumericDate); anything but a finite number is absent. */
export function timeClaim(claims: Claims, name: string): number | undefined {
  const value = own(claims, name)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

export function booleanClaim(claims: Claims, name: string): boolean | undefined {
  const value = own(claims, name)
  return typeof value === 'boolean' ? value : undefined
}

/** A list of texts; absent when the claim is anything else, so that a malformed list is unknown and not empty. */
export function listClaim(claims: Claims, name: string): readonly string[] | undefined {
  const value = own(claims, name)
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
    ? (value as string[])
    : undefined
}

/** Scopes, as a list or separated by spaces (RFC 6749 §3.3, RFC 9068 §2.2.3). */
export function scopeClaim(claims: Claims, name: string): readonly string[] | undefined {
  const text = textClaim(claims, name)
  return text === undefined ? listClaim(claims, name) : text.split(' ').filter((scope) => scope !== '')
}

/** Whether several factors were used; absent when the token does not tell how (RFC 8176 §2). */
export function mfaClaim(claims: Claims): boolean | undefined {
  return listClaim(claims, 'amr')?.includes('mfa')
}

export function own(claims: Claims, name: string): Json | undefined {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}
