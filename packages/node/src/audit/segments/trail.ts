/**
 * Trail: what is known of a log while it is verified.
 *
 * @module
 */
import type { AuditLoss } from '@hfauth/core'
import type { RemovedSegment, SegmentEnd } from './entries.ts'
import { type Finding, type FindingCode, Numbers } from './findings.ts'
import { type AuditPublicKey, checkSignatures, readHead, readOrigin, type SignedHead } from './signed-note.ts'

/** A head that was kept elsewhere, with a good signature. */
export interface Anchor extends SignedHead {
  readonly segment: number
  readonly writer: string
}

export class Trail {
  readonly keys: readonly AuditPublicKey[]
  readonly anchors: readonly Anchor[]
  readonly numbers: Numbers = new Numbers()
  /** Under a signature. */
  readonly removed: Map<number, RemovedSegment> = new Map()
  /** Ends of segments that are not there, as the ones after them tell. */
  readonly ends: Map<number, SegmentEnd> = new Map()
  readonly losses: (AuditLoss & { readonly seq: number })[] = []
  readonly findings: Finding[] = []
  /** Segments about which something was found: what follows from it is not found again. */
  readonly reported: Set<number> = new Set()
  readonly counts: { lines: number; events: number; heads: number; uncovered: number; more: number } = {
    lines: 0,
    events: 0,
    heads: 0,
    uncovered: 0,
    more: 0,
  }
  writer: string | undefined
  covered: { readonly segment: number; readonly line: number; readonly seq: number } | undefined
  first: { readonly seq: number; readonly time: string } | undefined
  last: { readonly seq: number; readonly time: string } | undefined
  private readonly maxFindings: number

  constructor(keys: readonly AuditPublicKey[], heads: readonly string[], maxFindings: number) {
    this.keys = keys
    this.maxFindings = maxFindings
    this.anchors = heads.flatMap((note) => this.readAnchor(note) ?? [])
  }

  find(code: FindingCode, segment: number, message: string, more: Partial<Finding> = {}): void {
    this.reported.add(segment)
    if (this.findings.length < this.maxFindings) this.findings.push({ code, segment, message, ...more })
    else this.counts.more++
  }

  private readAnchor(note: string): Anchor | undefined {
    const head = readHead(note)
    const origin = readOrigin(head?.origin ?? '')
    if (head === undefined || origin === undefined) {
      this.find('head_malformed', 0, 'a head that was kept elsewhere cannot be read')
      return undefined
    }
    const { writer, segment } = origin
    const signed = checkSignatures(head, this.keys)
    if (signed === 'invalid')
      this.find('signature_invalid', segment, 'a head that was kept elsewhere has a wrong signature')
    if (signed === 'unknown')
      this.find('signature_unknown', segment, 'a head that was kept elsewhere is signed by no known key')
    return signed === 'valid' ? { ...head, segment, writer } : undefined
  }
}
