/**
 * Is event: whether what a store holds has all that readers of events rely on.
 *
 * What holds events may have been written by others, and a question about half an event has no answer.
 *
 * @module
 */
import { isJsonObject } from '../internal/json-object.ts'
import type { RecordedEvent } from './types.ts'

export function isEvent(value: unknown): value is RecordedEvent {
  if (!isJsonObject(value)) return false
  const { seq, type, time, requestId, actor, resource, decision, revocation, loss } = value
  return (
    Number.isSafeInteger(seq) &&
    [type, requestId].every(isText) &&
    isText(time) &&
    !Number.isNaN(Date.parse(time)) &&
    isActor(actor) &&
    (resource === undefined || (isJsonObject(resource) && isText(resource.kind) && isText(resource.id))) &&
    (decision === undefined || (isJsonObject(decision) && areTexts(decision.statements))) &&
    [revocation, loss].every((member) => member === undefined || isJsonObject(member))
  )
}

function isActor(actor: unknown): boolean {
  if (!isJsonObject(actor)) return false
  const { id, issuer, roles, actedBy } = actor
  return isText(id) && isText(issuer) && areTexts(roles) && (actedBy === undefined || areTexts(actedBy))
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText)
}
