/**
 * CASL, as its guide says: rules of the roles a user has, built once, or for each request.
 */
import { createMongoAbility, type MongoAbility } from '@casl/ability'
import type { Engine } from '../engine.ts'
import { ceiling, closureOf, type Repository, type Statement, type Workload } from '../workload.ts'

export const casl: Engine = {
  name: 'casl',
  largest: Number.POSITIVE_INFINITY,
  load(workload) {
    const rulesOf = rulesByGroup(workload)
    const build = (groups: readonly string[]): MongoAbility => {
      const rules = groups.flatMap((group) => rulesOf.allow.get(group) ?? [])
      return createMongoAbility([...rules, ...rulesOf.deny] as never, {
        detectSubjectType: (object) => object.type as never,
      })
    }
    const can = (ability: MongoAbility, action: string, resource: Repository) =>
      ceiling.includes(action) && ability.can(action, resource as never)
    const known = new Map<string, MongoAbility>()
    const warmed = (groups: readonly string[]) => {
      const ability = known.get(groups.join()) ?? build(groups)
      known.set(groups.join(), ability)
      return ability
    }
    return {
      warm(groups) {
        const ability = warmed(groups)
        return ({ action, resource }) => can(ability, action, resource)
      },
      newcomer:
        (groups) =>
        ({ action, resource }) =>
          can(build(groups), action, resource),
      filter(groups) {
        const ability = warmed(groups)
        return (action, resources) => resources.filter((resource) => can(ability, action, resource)).length
      },
    }
  },
}

function rulesByGroup(workload: Workload) {
  const byRole = new Map<string, object[]>()
  const deny: object[] = []
  for (const statement of workload.statements) {
    const rules = toRules(statement)
    if (statement.effect === 'deny') deny.push(...rules.map((rule) => ({ ...rule, inverted: true })))
    else byRole.set(statement.role ?? '', [...(byRole.get(statement.role ?? '') ?? []), ...rules])
  }
  const allow = new Map(
    workload.bindings.map(({ group, role }) => [
      group,
      closureOf(workload, role).flatMap((name) => byRole.get(name) ?? []),
    ]),
  )
  return { allow, deny }
}

function toRules({ actions, patterns, ungated }: Statement) {
  return patterns.map(({ type, owner, name }) => {
    const named =
      name === '*' ? {} : { name: name.endsWith('*') ? { $regex: `^${name.slice(0, -1)}` } : name }
    const conditions = { owner, ...named, ...(ungated ? { gated: false } : {}) }
    return { action: [...actions], subject: type, conditions }
  })
}
