/**
 * Roles: named statements, and what each takes over from the roles it extends.
 *
 * @module
 */
import { sortedUnique } from '../internal/sort.ts'
import type { Role } from './policy.ts'
import { checkName, type PolicyReader } from './reader.ts'
import { readStatements } from './statements.ts'

/** Most roles that all roles together are made of, themselves and those they extend. */
const maxInherited = 1_000_000

export function readRoles(reader: PolicyReader): Map<string, Role> {
  const roles = new Map<string, Role>()
  const documents = reader.document.roles
  let inherited = 0
  for (const [name, document] of Object.entries(documents)) {
    const closure = closureOf(name, reader)
    inherited += closure.length
    if (inherited > maxInherited) {
      const message = 'roles extend each other so often that all of them together are too many'
      reader.fault('too_large', ['roles', name, 'extends'], message)
      return roles
    }
    for (const [i, parent] of (document.extends ?? []).entries()) {
      checkName(reader, 'unknown_role', parent, documents, ['roles', name, 'extends', i])
    }
    roles.set(name, {
      name,
      closure,
      statements: [
        ...readStatements(reader, document.allow, 'allow', ['roles', name, 'allow']),
        ...readStatements(reader, document.deny, 'deny', ['roles', name, 'deny']),
      ],
    })
  }
  reportCycles(reader)
  return roles
}

function closureOf(name: string, reader: PolicyReader): string[] {
  const found = new Set([name])
  for (const role of found) {
    for (const parent of parentsOf(reader, role)) found.add(parent)
  }
  return sortedUnique(found)
}

/** Reports each cycle once, from its first role by name. */
function reportCycles(reader: PolicyReader): void {
  const done = new Set<string>()
  const visit = (name: string, trail: readonly string[]): void => {
    const start = trail.indexOf(name)
    if (start >= 0) {
      const cycle = [...trail.slice(start), name].map((role) => `\`${role}\``).join(' → ')
      reader.fault('cycle', ['roles', name, 'extends'], `roles extend each other in a circle: ${cycle}`)
    } else if (!done.has(name)) {
      for (const parent of parentsOf(reader, name)) visit(parent, [...trail, name])
      done.add(name)
    }
  }
  for (const name of sortedUnique(Object.keys(reader.document.roles))) visit(name, [])
}

/** The roles that `name` extends and that exist. */
function parentsOf(reader: PolicyReader, name: string): string[] {
  const roles = reader.document.roles
  const document = Object.hasOwn(roles, name) ? roles[name] : undefined
  return (document?.extends ?? []).filter((parent) => Object.hasOwn(roles, parent))
}
