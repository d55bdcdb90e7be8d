/**
 * What somebody who knows this one policy shape would write by hand: nested maps, nothing general.
 */
import type { Engine } from '../engine.ts'
import { ceiling, closureOf, type Question, type Repository, type Statement } from '../workload.ts'

interface Owned {
  readonly exact: Map<string, boolean>
  readonly prefixes: { readonly text: string; readonly ungated: boolean }[]
  /** Everything of the owner's: 0 no, 1 when ungated, 2 always. */
  all: 0 | 1 | 2
}

type Table = Map<string, Map<string, Owned>>

export const handWritten: Engine = {
  name: 'hand-written',
  largest: Number.POSITIVE_INFINITY,
  load(workload) {
    const byRole = new Map<string, Table>()
    const deny: Table = new Map()
    for (const statement of workload.statements) {
      const role = statement.role ?? ''
      if (statement.effect === 'deny') add(deny, statement)
      else {
        const table = byRole.get(role) ?? new Map()
        byRole.set(role, table)
        add(table, statement)
      }
    }
    const tablesOf = new Map(
      workload.bindings.map(({ group, role }) => [
        group,
        closureOf(workload, role).flatMap((name) => byRole.get(name) ?? []),
      ]),
    )
    const prepare = (groups: readonly string[]) => groups.flatMap((group) => tablesOf.get(group) ?? [])
    const can = (tables: readonly Table[], action: string, resource: Repository) =>
      ceiling.includes(action) &&
      tables.some((table) => matches(table, action, resource)) &&
      !matches(deny, action, resource)
    return {
      warm(groups) {
        const tables = prepare(groups)
        return ({ action, resource }) => can(tables, action, resource)
      },
      newcomer:
        (groups) =>
        ({ action, resource }) =>
          can(prepare(groups), action, resource),
      filter(groups) {
        const tables = prepare(groups)
        return (action, resources) => resources.filter((resource) => can(tables, action, resource)).length
      },
    }
  },
}

function add(table: Table, { actions, patterns, ungated }: Statement): void {
  for (const { type, owner, name } of patterns) {
    for (const action of actions) {
      const key = `${action} ${type}`
      const owners = table.get(key) ?? new Map<string, Owned>()
      table.set(key, owners)
      const owned: Owned = owners.get(owner) ?? { exact: new Map(), prefixes: [], all: 0 }
      owners.set(owner, owned)
      if (name === '*') owned.all = ungated && owned.all < 2 ? 1 : 2
      else if (name.endsWith('*')) owned.prefixes.push({ text: name.slice(0, -1), ungated })
      else owned.exact.set(name, ungated && owned.exact.get(name) !== false)
    }
  }
}

function matches(
  table: Table,
  action: Question['action'],
  { type, owner, name, gated }: Repository,
): boolean {
  const owned = table.get(`${action} ${type}`)?.get(owner)
  if (owned === undefined) return false
  if (owned.all === 2 || (owned.all === 1 && !gated)) return true
  const exact = owned.exact.get(name)
  if (exact !== undefined && (!exact || !gated)) return true
  return owned.prefixes.some(({ text, ungated }) => name.startsWith(text) && (!ungated || !gated))
}
