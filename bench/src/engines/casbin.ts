/**
 * casbin, with its RBAC model, and denials that override.
 */
import { type Enforcer, newEnforcer, newModelFromString } from 'casbin'
import type { Engine } from '../engine.ts'
import { ceiling, type Workload } from '../workload.ts'

const model = `
[request_definition]
r = sub, act, typ, own, name, gated
[policy_definition]
p = sub, act, typ, own, name, cond, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.act == p.act && r.typ == p.typ && r.own == p.own && (p.cond == "any" || r.gated == "no") && named(r.name, p.name) && (p.sub == "everybody" || g(r.sub, p.sub))
`

/** casbin loads asynchronously; the enforcers are made before anything is measured. */
export async function prepareCasbin(workload: Workload): Promise<Engine> {
  const enforcer: Enforcer = await newEnforcer(newModelFromString(model))
  await enforcer.addFunction('named', (name: string, pattern: string) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )
  await enforcer.addPolicies(
    workload.statements.flatMap(({ effect, role = 'everybody', actions, patterns, ungated }) =>
      patterns.flatMap(({ type, owner, name }) =>
        actions.map((action) => [role, action, type, owner, name, ungated ? 'ungated' : 'any', effect]),
      ),
    ),
  )
  for (const [role, parent] of workload.parents)
    if (parent !== undefined) await enforcer.addGroupingPolicy(role, parent)
  await enforcer.addGroupingPolicies(workload.bindings.map(({ group, role }) => [group, role]))
  const users = new Map<string, string>()
  for (const groups of workload.principals.slice(0, 200)) {
    const user = `user:${groups.join('+')}`
    if (users.has(groups.join())) continue
    users.set(groups.join(), user)
    for (const group of new Set(groups)) await enforcer.addGroupingPolicy(user, group)
  }
  return {
    name: 'casbin',
    largest: 1_000,
    load: () => ({
      warm(groups) {
        const user = users.get(groups.join())
        if (user === undefined) throw new Error('casbin: a user who was not announced')
        return ({ action, resource: { type, owner, name, gated } }) =>
          ceiling.includes(action) &&
          enforcer.enforceSync(user, action, type, owner, name, gated ? 'yes' : 'no')
      },
      newcomer() {
        throw new Error('casbin: a user has to be announced first, so there are no newcomers')
      },
    }),
  }
}
