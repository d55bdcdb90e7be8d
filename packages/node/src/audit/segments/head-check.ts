/**
 * Head check: the tree over a segment, against the heads that are in it and those that were kept elsewhere.
 *
 * segment check → **heads** → findings.
 *
 * @module
 */
import type { RemovedSegment } from './entries.ts'
import { leafHash, MerkleTree } from './merkle.ts'
import { checkSignatures, originOf, readHead, type SignedHead } from './signed-note.ts'
import type { Anchor, Trail } from './trail.ts'

export class HeadCheck {
  /** Of the first event, as the segment says. */
  firstSeq = 1
  private readonly number: number
  private readonly trail: Trail
  private readonly tree = new MerkleTree()
  private readonly anchors: readonly Anchor[]
  /** Removals that no head covers yet: anybody could have written them. */
  private readonly unsigned: RemovedSegment[] = []

  constructor(number: number, trail: Trail) {
    this.number = number
    this.trail = trail
    this.anchors = trail.anchors.filter(({ segment }) => segment === number)
  }

  root(): Buffer {
    return this.tree.root()
  }

  /** Takes the hash of the next line, which a head in it does not cover. */
  append(hash: Buffer, line: number): void {
    this.tree.append(leafHash(hash))
    for (const head of this.anchors)
      if (head.size === line) this.compare(head, line, 'a head that was kept elsewhere')
  }

  removed(segment: RemovedSegment): void {
    this.unsigned.push(segment)
  }

  /** A head that stands in this line. */
  check(text: string, line: number): void {
    const { trail, number } = this
    trail.counts.heads++
    const head = readHead(text)
    if (
      head === undefined ||
      head.size !== line - 1 ||
      head.origin !== originOf(trail.writer ?? '', number)
    ) {
      if (head === undefined || !trail.reported.has(number))
        trail.find('head_malformed', number, 'this head is not one of the lines before it', { line })
      return
    }
    const signed = checkSignatures(head, trail.keys)
    if (signed === 'invalid')
      trail.find('signature_invalid', number, 'the signature of this head is wrong', { line })
    if (signed === 'unknown')
      trail.find('signature_unknown', number, 'this head is signed by no known key', { line })
    if (signed !== 'valid' || !this.compare(head, line, 'this head')) return
    trail.covered = { segment: number, line: line - 1, seq: trail.last?.seq ?? this.firstSeq - 1 }
    trail.counts.uncovered = 0
    for (const each of this.unsigned.splice(0)) trail.removed.set(each.number, each)
  }

  end(lines: number): void {
    for (const { size } of this.anchors) {
      if (size <= lines) continue
      const message = `the segment ends after line ${lines}; a head that was kept elsewhere covers ${size}`
      this.trail.find('segment_truncated', this.number, message, { line: lines })
    }
  }

  private compare(head: SignedHead, line: number, name: string): boolean {
    const { trail, number } = this
    if (this.tree.root().equals(head.root)) return true
    // A line that was changed has been named; its root cannot be right.
    if (!trail.reported.has(number)) {
      const message = `the lines up to here are not those that ${name} covers: they were written again`
      trail.find('head_mismatch', number, message, { line })
    }
    return false
  }
}
