/**
 * The slow, obvious evaluator: the decision as the specification words it, statement by statement,
 * without an index, without partial evaluation and without CASL. The engine is held against it.
 */
import { principalFact } from '../src/compile/facts.ts'
import { isHubType } from '../src/hub/actions.ts'
import { canonicalId } from '../src/hub/ids.ts'
import type { Policy, Principal, Question } from '../src/index.ts'
import type { Pattern } from '../src/policy/pattern.ts'
import type { Statement } from '../src/policy/policy.ts'
import { judge, requestFact, type Truth } from './reference-judge.ts'

export function referenceReason(
  policy: Policy,
  principal: Principal,
  roles: ReadonlySet<string>,
  environmentName: string,
  question: Question,
  now: number,
): string {
  const input = question.resource
  const [type = '', rawId = ''] =
    typeof input === 'string'
      ? [input.slice(0, input.indexOf(':')), input.slice(input.indexOf(':') + 1)]
      : [input.type, input.id]
  const id = canonicalId(type, rawId)
  if (id === undefined) return 'invalid_resource'
  if (!policy.actions.has(question.action)) return 'unknown_action'
  if (!policy.types.has(type)) return 'unknown_resource_type'
  const facts = {
    resource: { type, id, attributes: typeof input === 'string' ? {} : (input.attributes ?? {}) },
    context: { time: now, ...question.context },
  }

  const held = new Set<string>()
  for (const role of roles) for (const name of policy.roles.get(role)?.closure ?? []) held.add(name)
  const statements = [
    ...policy.deny,
    ...[...held].flatMap((name) => policy.roles.get(name)?.statements ?? []),
  ].filter(
    (statement) =>
      (statement.environments === undefined || statement.environments.has(environmentName)) &&
      (statement.actions.includes('*') || statement.actions.includes(question.action)) &&
      statement.patterns.some((pattern) => patternMatches(pattern, principal, type, id)),
  )
  const truth = (statement: Statement): Truth =>
    statement.condition === undefined
      ? true
      : judge(statement.condition, (path) =>
          path.root === 'principal' ? principalFact(principal, path.name) : requestFact(facts, path),
        )

  if (statements.some((statement) => statement.effect === 'deny' && truth(statement) !== false))
    return 'explicit_deny'
  const ceiling = policy.environments.get(environmentName)?.actions
  if (ceiling !== undefined && !ceiling.has(question.action)) return 'environment_ceiling'
  const allows = statements.filter((statement) => statement.effect === 'allow').map(truth)
  if (allows.includes(true)) return 'allowed'
  return allows.includes(undefined) ? 'condition_unknown' : 'no_matching_rule'
}

function patternMatches(pattern: Pattern, principal: Principal, type: string, id: string): boolean {
  if (pattern.type !== '**' && pattern.type !== type) return false
  let expression = ''
  for (const piece of pattern.pieces) {
    if ('text' in piece) {
      expression += piece.text
        .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
        .replaceAll(/\*+/g, (stars) => (stars === '*' ? '[^/]*' : '[^]*'))
    } else {
      const value = principalFact(principal, piece.placeholder.slice('principal.'.length))
      if (typeof value !== 'string' || canonicalId('literal', value) === undefined) return false
      expression += value.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    }
  }
  return new RegExp(`^${expression}$`, isHubType(type) ? 'i' : '').test(id)
}
