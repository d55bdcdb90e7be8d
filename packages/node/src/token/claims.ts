/**
 * Own claims: a name that an object inherits is never a claim.
 *
 * @module
 */
import type { Claims, Json } from '@hfauth/core'

export function claim(claims: Claims, name: string): Json | undefined {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}
