/**
 * Normal policy: one form for all the ways to write a policy that mean the same.
 *
 * shape → **normal policy** → digest, and what compares two versions.
 *
 * @module
 */
import { present } from '../internal/present.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { Json } from '../types.ts'
import { normalBinding } from './bindings.ts'
import { digestOf } from './digest.ts'
import type { PolicyDocument } from './schema.ts'
import { normalStatement } from './statements.ts'

/** The document with everything sorted whose order means nothing: the digest is over this. */
export function normalPolicy(document: PolicyDocument): { readonly [key: string]: Json } {
  const sortedByContent = (items: readonly Json[]) =>
    items
      .map((item) => ({ item, digest: digestOf(item) }))
      .sort((a, b) => (a.digest < b.digest ? -1 : 1))
      .map(({ item }) => item)
  const statements = (list: PolicyDocument['deny']) => sortedByContent((list ?? []).map(normalStatement))
  const roles = Object.entries(document.roles).map(([name, role]) => [
    name,
    { extends: sortedUnique(role.extends ?? []), allow: statements(role.allow), deny: statements(role.deny) },
  ])
  const sets = (lists: Readonly<Record<string, readonly string[]>> = {}) =>
    Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, sortedUnique(list)]))
  return {
    ...(document as unknown as { [key: string]: Json }),
    environments: withSortedSets(document.environments, ['actions', 'exempt']),
    ...present({
      resources: document.resources && withSortedSets(document.resources, ['actions']),
      scopes: document.scopes && withSortedSets(document.scopes, ['actions', 'on']),
    }),
    projects: sets(document.projects),
    roles: Object.fromEntries(roles),
    bindings: sortedByContent(document.bindings.map(normalBinding)),
    ...present({ routes: document.routes && sortedByContent(document.routes) }),
    deny: statements(document.deny),
  }
}

/** The members of a section, each with its sets sorted. */
function withSortedSets(
  section: Readonly<Record<string, object>>,
  keys: readonly string[],
): { [name: string]: Json } {
  return Object.fromEntries(
    Object.entries(section).map(([name, member]) => [
      name,
      Object.fromEntries(
        Object.entries(member).map(([key, value]) => [
          key,
          keys.includes(key) ? sortedUnique(value as string[]) : value,
        ]),
      ),
    ]),
  )
}
