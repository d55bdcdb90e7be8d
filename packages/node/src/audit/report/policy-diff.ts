/**
 * Policy diff: what one version of a policy says that another does not, as lines.
 *
 * @module
 */
import type { Policy } from '@hfauth/core'

export interface PolicyDiff {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** The order in which a policy lists things has no meaning and makes no difference. */
export function policyDiff(before: Policy, after: Policy): PolicyDiff {
  const old = new Set(linesOf(before.document, ''))
  const new_ = new Set(linesOf(after.document, ''))
  return {
    added: [...new_].filter((line) => !old.has(line)).sort(),
    removed: [...old].filter((line) => !new_.has(line)).sort(),
  }
}

/** `roles.engineer.allow: {"actions":["read"],"on":["model:acme/*"]}` */
function linesOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.map((item) => `${path}: ${JSON.stringify(item)}`)
  if (typeof value !== 'object' || value === null) return [`${path}: ${JSON.stringify(value)}`]
  const members = Object.entries(value)
  if (members.length === 0) return [`${path}: {}`]
  return members.flatMap(([name, member]) => linesOf(member, path === '' ? name : `${path}.${name}`))
}
