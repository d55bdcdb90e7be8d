/**
 * accesscontrol: roles, actions and resource names. It has no patterns, so each pattern is a resource
 * name of its own, and a question asks for the few names that could match it.
 */
import { AccessControl } from 'accesscontrol'
import type { Engine } from '../engine.ts'
import { ceiling, type Pattern, type Question, type Workload } from '../workload.ts'

export const accesscontrol: Engine = {
  name: 'accesscontrol',
  largest: 1_000,
  load(workload) {
    const control = new AccessControl(toGrants(workload) as never)
    const known = new Set<string>(
      workload.statements.flatMap(({ patterns, ungated }) =>
        patterns.map((pattern) => nameOf(pattern, ungated)),
      ),
    )
    const roleOf = new Map(workload.bindings.map(({ group, role }) => [group, role]))
    const rolesOf = (groups: readonly string[]) => [
      ...new Set(groups.map((group) => roleOf.get(group) as string)),
    ]
    const granted = (roles: string[], { action, resource }: Question) =>
      candidates(resource).some((name) => known.has(name) && control.can(roles).action(action, name).granted)
    const can = (roles: string[], question: Question) =>
      ceiling.includes(question.action) && granted(roles, question) && !granted(['denials'], question)
    return {
      warm(groups) {
        const roles = rolesOf(groups)
        return (question) => can(roles, question)
      },
      newcomer: (groups) => (question) => can(rolesOf(groups), question),
    }
  },
}

function nameOf({ type, owner, name }: Pattern, ungated: boolean): string {
  return `${type}_${owner}_${name.replace('*', 'any')}${ungated ? '_ungated' : ''}`
}

function candidates({ type, owner, name, gated }: Question['resource']): string[] {
  const names = [name, `${name.slice(0, name.indexOf('-'))}-any`, 'any'].map(
    (piece) => `${type}_${owner}_${piece}`,
  )
  return gated ? names : [...names, ...names.map((one) => `${one}_ungated`)]
}

type Grants = Record<string, Record<string, unknown>>

function toGrants({ parents, statements }: Workload): Grants {
  const grants: Grants = { denials: {} }
  for (const [role, parent] of parents) grants[role] = parent === undefined ? {} : { $extend: [parent] }
  for (const { role, actions, patterns, ungated } of statements) {
    const resources = grants[role ?? 'denials'] as Record<string, Record<string, unknown>>
    for (const pattern of patterns) {
      const name = nameOf(pattern, ungated)
      for (const action of actions)
        resources[name] = { ...resources[name], [action]: [{ attributes: ['*'] }] }
    }
  }
  return grants
}
