/**
 * Rows: what all answers share. Gaps, limits, and counting by key.
 *
 * @module
 */
import { numberOption } from '../../internal/number-option.ts'
import type { RecordedEvent } from '../types.ts'
import { byTime, compare } from './source.ts'
import type { GapRow } from './types.ts'

export function gapOf({ time, writer, seq, loss }: RecordedEvent): GapRow {
  return { time, writer, seq, ...(loss ?? { reason: 'unknown' }) }
}

/** Takes gaps out of a stream of events; `undefined` for an event that is none. */
export class Gaps {
  private readonly found: GapRow[] = []

  take(event: RecordedEvent): boolean {
    const isGap = event.type === 'io.hfauth.audit.gap'
    if (isGap) this.found.push(gapOf(event))
    return isGap
  }

  get rows(): readonly GapRow[] {
    return this.found.sort((a, b) => compare(a.time, b.time) || compare(a.writer, b.writer) || a.seq - b.seq)
  }
}

export function limitOf(limit: number | undefined): number {
  return Math.floor(numberOption('limit', limit ?? 1000, { min: 1, max: 100_000 }))
}

type Timed = { readonly time: string; readonly requestId: string }

/** The oldest rows up to a limit, whatever order they come in, in little more memory than those. */
export class OldestRows<Row extends Timed> {
  private rows: Row[] = []
  private count = 0
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  add(row: Row): void {
    this.count++
    this.rows.push(row)
    if (this.rows.length >= 2 * this.limit + 1000) this.cut()
  }

  finish(): { rows: readonly Row[]; more: number } {
    this.cut()
    return { rows: this.rows, more: this.count - this.rows.length }
  }

  private cut(): void {
    this.rows.sort(byTime)
    this.rows = this.rows.slice(0, this.limit)
  }
}

/** Counts by name; the name with the highest count, and of those the first in the alphabet. */
export class Tally {
  readonly counts = new Map<string, number>()

  add(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }

  get most(): string | undefined {
    return [...this.counts].sort(([a, m], [b, n]) => n - m || compare(a, b))[0]?.[0]
  }
}

/** `model:acme/ranker` */
export function resourceText(
  resource: { readonly kind: string; readonly id: string } | undefined,
): string | undefined {
  return resource === undefined ? undefined : `${resource.kind}:${resource.id}`
}

/** A row without the members that are not there. */
export function row<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}
