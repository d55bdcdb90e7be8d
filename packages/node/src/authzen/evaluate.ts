/**
 * Evaluate: answers one AuthZEN question, or many, and puts each on record.
 *
 * entities → **evaluate** → `{ decision }`. Whoever or whatever is not known is denied; nothing is told of why.
 *
 * @see OpenID AuthZEN Authorization API 1.0 §6 (evaluation), §7 (evaluations)
 * @module
 */
import { anonymous, auditActor, auditDecision, type Resource } from '@hfauth/core'
import { recordedResource } from '../guard/gate.ts'
import { isJsonObject } from '../internal/json-object.ts'
import {
  type Action,
  type Entity,
  type Properties,
  RequestFault,
  readAction,
  readContext,
  readEntity,
} from './entities.ts'
import type { AuthzenOptions } from './types.ts'

export interface Evaluation {
  readonly decision: boolean
}

/** How a request with many ends: `stopAt` is the decision after which no more are asked. */
const semantics: ReadonlyMap<string, { readonly stopAt?: boolean }> = new Map([
  ['execute_all', {}],
  ['deny_on_first_deny', { stopAt: false }],
  ['permit_on_first_permit', { stopAt: true }],
])

/** @throws RequestFault when an entity is missing or malformed; HfAuthError `HFAUTH_AUDIT_UNAVAILABLE`. */
export async function evaluate(
  body: Properties,
  requestId: string,
  { engine, audit, principalOf, resourceOf = asSent }: AuthzenOptions,
): Promise<Evaluation> {
  const subject = readEntity(body, 'subject')
  const action = readAction(body)
  const context = contextOf(action, readContext(body))
  const resource = await resourceOf(readEntity(body, 'resource'))
  const principal = await principalOf(subject)
  const access = engine.for(principal ?? anonymous)
  const decision = access.decide({ action: action.name, resource, context })
  const answer = auditDecision(decision)
  await audit.record({
    type: 'io.hfauth.decision',
    requestId,
    actor: auditActor(principal ?? anonymous, access.roles()),
    action: action.name,
    resource: recordedResource(decision, resource.attributes),
    http: { method: 'POST', route: 'authzen' },
    decision:
      principal === undefined
        ? { ...answer, effect: 'deny', reason: 'subject_unknown', statements: [] }
        : answer,
  })
  return { decision: principal !== undefined && decision.allowed }
}

/** @throws RequestFault when the request as a whole is malformed; a fault of one item denies that item. */
export async function evaluateAll(
  body: Properties,
  requestId: string,
  options: AuthzenOptions,
): Promise<Evaluation | { readonly evaluations: readonly Evaluation[] }> {
  const { evaluations: items = [], options: asked = {}, ...defaults } = body
  if (!Array.isArray(items)) throw new RequestFault('`evaluations` must be a list')
  if (!isJsonObject(asked)) throw new RequestFault('`options` must be an object')
  const { evaluations_semantic: name = 'execute_all' } = asked
  const semantic = typeof name === 'string' ? semantics.get(name) : undefined
  if (semantic === undefined) throw new RequestFault('`options.evaluations_semantic` is not known')
  if (items.length === 0) return evaluate(defaults, requestId, options)
  const { maxEvaluations = 100 } = options
  if (items.length > maxEvaluations) throw new RequestFault(`more than ${maxEvaluations} evaluations`)
  const evaluations: Evaluation[] = []
  for (const item of items) {
    // A member of an item replaces the default whole.
    const evaluation = await evaluate(
      isJsonObject(item) ? { ...defaults, ...item } : {},
      requestId,
      options,
    ).catch(deniedForFault)
    evaluations.push(evaluation)
    if (evaluation.decision === semantic.stopAt) break
  }
  return { evaluations }
}

function deniedForFault(error: unknown): Evaluation {
  if (error instanceof RequestFault) return { decision: false }
  throw error
}

/** What a caller says of its action stands under `context.action`. */
export function contextOf({ properties }: Action, context: Properties): Properties {
  return { ...context, action: properties }
}

export function asSent({ type, id, properties }: Entity): Resource {
  return { type, id, attributes: properties }
}
