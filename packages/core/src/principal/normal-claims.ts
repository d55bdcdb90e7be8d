/**
 * Normal claims: a provider's habits taken out, so that policies compare like with like.
 *
 * verified claims → **normal claims** → principal. Nested members get a name of their own, `"true"` becomes
 * `true`, the number 20 becomes `"20"`: as the preset says, and nothing else. What cannot be read as the
 * preset says is left out, which makes it unknown, or counts as the worse where it is a warning. Doing it
 * twice changes nothing.
 *
 * @module
 */
import type { Json } from '../types.ts'
import { type Claims, own } from './claims.ts'
import type { PresetData } from './preset.ts'

export function normalClaims({ lift, coerce }: Pick<PresetData, 'lift' | 'coerce'>, claims: Claims): Claims {
  if (lift === undefined && coerce === undefined) return claims
  const { booleans = [], texts = [] } = coerce ?? {}
  const changed: [string, Json | undefined][] = [
    // A lifted name is ours alone: a claim that happens to be called so counts for nothing.
    ...Object.entries(lift ?? {}).map(([name, path]): [string, Json | undefined] => [
      name,
      nested(claims, path),
    ]),
    ...booleans.map((name): [string, Json | undefined] => [
      name,
      toBoolean(own(claims, name), coerce?.oddBoolean),
    ]),
    ...texts.map((name): [string, Json | undefined] => [name, toText(own(claims, name))]),
  ].filter(([name, value]) => value !== own(claims, name))
  if (changed.length === 0) return claims
  const normal = new Map<string, Json>(Object.entries(claims))
  for (const [name, value] of changed) {
    if (value === undefined) normal.delete(name)
    else normal.set(name, value)
  }
  return Object.fromEntries(normal)
}

function nested(claims: Claims, path: readonly string[]): Json | undefined {
  let value: Json | undefined = claims
  for (const step of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = own(value as Claims, step)
  }
  return value
}

function toBoolean(value: Json | undefined, odd: true | undefined): boolean | undefined {
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  return value === undefined ? value : odd
}

function toText(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined
}
