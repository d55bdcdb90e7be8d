/**
 * Cedar, compiled to WebAssembly: policies parsed once, entities handed over with each question.
 */
import { createRequire } from 'node:module'
import type { Engine } from '../engine.ts'
import { ceiling, closureOf, type Question, type Statement, type Workload } from '../workload.ts'

type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs')
const cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as Cedar

export const cedarWasm: Engine = {
  name: 'cedar-wasm',
  largest: 1_000,
  load(workload) {
    const name = `bench-${workload.size}`
    const answer = cedar.preparsePolicySet(name, { staticPolicies: toPolicies(workload) })
    if (answer.type !== 'success') throw new Error(`cedar: ${JSON.stringify(answer.errors).slice(0, 400)}`)
    const rolesOf = new Map(workload.bindings.map(({ group, role }) => [group, closureOf(workload, role)]))
    const ask = (parents: readonly string[], { action, resource }: Question): boolean => {
      const { type, owner, name: called, id, gated } = resource
      const uid = { type: 'Repository', id: `${type}:${id}` }
      const result = cedar.statefulIsAuthorized({
        principal: { type: 'User', id: 'somebody' },
        action: { type: 'Action', id: action },
        resource: uid,
        context: {},
        preparsedPolicySetId: name,
        entities: [
          {
            uid: { type: 'User', id: 'somebody' },
            attrs: {},
            parents: parents.map((role) => ({ type: 'Role', id: role })),
          },
          { uid, attrs: { kind: type, owner, name: called, gated }, parents: [] },
        ],
      })
      return result.type === 'success' && result.response.decision === 'allow'
    }
    const parentsOf = (groups: readonly string[]) => [
      ...new Set(groups.flatMap((group) => rolesOf.get(group) ?? [])),
    ]
    return {
      warm(groups) {
        const parents = parentsOf(groups)
        return (question) => ask(parents, question)
      },
      newcomer: (groups) => (question) => ask(parentsOf(groups), question),
    }
  },
}

function toPolicies(workload: Workload): string {
  const limit = ceiling.map((action) => `Action::"${action}"`).join(', ')
  return [
    ...workload.statements.map(toPolicy),
    `forbid(principal, action, resource) unless { [${limit}].contains(action) };`,
  ].join('\n')
}

function toPolicy({ effect, role, actions, patterns, ungated }: Statement): string {
  const head = effect === 'deny' ? 'forbid(principal' : `permit(principal in Role::"${role}"`
  const list = actions.map((action) => `Action::"${action}"`).join(', ')
  const fits = patterns.map(({ type, owner, name }) => {
    const named = name === '*' ? '' : ` && resource.name ${name.endsWith('*') ? 'like' : '=='} "${name}"`
    return `(resource.kind == "${type}" && resource.owner == "${owner}"${named})`
  })
  return `${head}, action in [${list}], resource) when { (${fits.join(' || ')})${ungated ? ' && !resource.gated' : ''} };`
}
