/**
 * Policy diff: what one version of a policy says that another does not, as lines.
 *
 * @module
 */
import { canonicalJson, type Json, normalPolicy, type Policy } from '@hfauth/core'

export interface PolicyDiff {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** The order in which a policy lists things has no meaning and makes no difference. */
export function policyDiff(before: Policy, after: Policy): PolicyDiff {
  const old = new Set(linesOf(normalPolicy(before.document), ''))
  const new_ = new Set(linesOf(normalPolicy(after.document), ''))
  return {
    added: [...new_].filter((line) => !old.has(line)).sort(),
    removed: [...old].filter((line) => !new_.has(line)).sort(),
  }
}

/** `roles.engineer.allow: {"actions":["read"],"on":["model:acme/*"]}` */
function linesOf(value: Json, path: string): string[] {
  if (Array.isArray(value)) return value.map((item) => `${path}: ${canonicalJson(item)}`)
  // A condition is one thing: in the lists of its operators order has a meaning.
  if (typeof value !== 'object' || value === null || path.endsWith('.require'))
    return [`${path}: ${canonicalJson(value)}`]
  const lines = Object.entries(value).flatMap(([name, member]) =>
    linesOf(member, path === '' ? name : `${path}.${name}`),
  )
  // A name alone is something; a section without names is not.
  return lines.length > 0 || !path.includes('.') ? lines : [`${path}: {}`]
}
