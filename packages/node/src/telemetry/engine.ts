/**
 * Engine, measured: a span for each decision with its reason.
 *
 * `can`, `filter` and the other short ways stay as they are: a span would cost more than the answer.
 *
 * @module
 */
import type { Decision, Engine, PolicyAccess, Question } from '@hfauth/core'
import { tracedSync } from './api.ts'
import { extended } from './extended.ts'

/** Action and type of resource are told when the policy knows them, never which resource or whose decision. */
export function instrumentEngine(engine: Engine): Engine {
  const { actions, types } = engine.policy
  const measured = new WeakMap<PolicyAccess, PolicyAccess>()

  const describe = ({ action, resource, allowed, reason }: Decision) => {
    const type = resource.slice(0, Math.max(0, resource.indexOf(':')))
    return {
      attributes: {
        'hfauth.effect': allowed ? 'allow' : 'deny',
        'hfauth.reason': reason,
        ...(actions.has(action) ? { 'hfauth.action': action } : {}),
        ...(types.has(type) ? { 'hfauth.resource.type': type } : {}),
      },
    }
  }
  const measure = (access: PolicyAccess): PolicyAccess =>
    extended(access, {
      decide: (question: Question) => tracedSync('hfauth.decide', () => access.decide(question), describe),
    })

  return extended(engine, {
    for(principal) {
      const access = engine.for(principal)
      const known = measured.get(access) ?? measure(access)
      measured.set(access, known)
      return known
    },
  })
}
