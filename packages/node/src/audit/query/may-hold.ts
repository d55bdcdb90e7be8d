/**
 * May hold: whether a segment can have what a question is about, by its index.
 *
 * @module
 */
import { resourceKey } from '../found-by.ts'
import { mayContain } from '../segments/bloom.ts'
import type { SegmentIndex } from '../segments/segment-index.ts'
import type { AuditFilter } from './source.ts'

/** Whether the segment can have an event that the filter wants. */
export function mayHold(index: SegmentIndex, filter: AuditFilter): boolean {
  const { first, last } = index
  if (first === undefined || last === undefined) return false
  if (last < (filter.from ?? last) || first >= (filter.to ?? Number.POSITIVE_INFINITY)) return false
  if (index.types.includes('io.hfauth.audit.gap')) return true
  const { types, actor, resource } = filter
  return (
    (types?.some((type) => index.types.includes(type)) ?? true) &&
    (actor === undefined || mayContain(index.actors, actor)) &&
    (resource === undefined || mayContain(index.resources, resourceKey(resource)))
  )
}
