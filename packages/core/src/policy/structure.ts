/**
 * Structure: what has to hold of any value before its shape is checked, whether it was text or an object.
 *
 * text → **structure** → shape. JSON text is held to the same by its own reader; YAML and objects come here first.
 *
 * @module
 */
import type { JsonPath } from '../json.ts'
import type { Json } from '../types.ts'
import type { ShapeFault } from './schema.ts'

/** As deep as JSON text may be. */
const maxDepth = 64
/** Later steps would drop such keys without a word, and with them a condition that somebody wrote. */
const unsafeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** Finds what is no JSON, keys that touch prototypes, and nesting without an end. */
export function checkStructure(value: Json): ShapeFault[] {
  const faults: ShapeFault[] = []
  const visit = (node: Json, path: JsonPath): void => {
    const other = otherThanJson(node)
    if (other !== undefined)
      faults.push({ code: 'wrong_type', path, message: `${other} is no value of JSON` })
    if (other !== undefined || typeof node !== 'object' || node === null) return
    if (path.length >= maxDepth) {
      faults.push({ code: 'too_large', path, message: `nested deeper than ${maxDepth} levels` })
      return
    }
    if (Array.isArray(node)) {
      for (const [i, item] of node.entries()) visit(item as Json, [...path, i])
      return
    }
    for (const [key, member] of Object.entries(node)) {
      const here = [...path, key]
      if (unsafeKeys.has(key))
        faults.push({ code: 'unknown_key', path: here, message: `unsafe key \`${key}\`` })
      // As in TypeScript, a member that is `undefined` is one that was left out.
      if (member !== undefined) visit(member, here)
    }
  }
  visit(value, [])
  return faults
}

/**
 * What a value is that no JSON text could hold. A map, which YAML's `!!omap` makes, has no members to look at: taken
 * for a mapping, it would be a condition that asks nothing.
 */
function otherThanJson(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `\`${value}\``
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value !== 'object') return `a value of type \`${typeof value}\``
  if (Array.isArray(value)) return undefined
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return undefined
  return 'an object that is neither a list nor a mapping'
}
