/**
 * Found by: the principals and the resource under which an event is looked for.
 *
 * @module
 */
import type { RecordedEvent } from './types.ts'

export function actorIds({ actor }: RecordedEvent): readonly string[] {
  return actor.actedBy === undefined ? [actor.id] : [actor.id, ...actor.actedBy]
}

export function resourceKey(resource: { readonly kind: string; readonly id: string } | undefined): string {
  return resource === undefined ? '' : `${resource.kind}:${resource.id.toLowerCase()}`
}
