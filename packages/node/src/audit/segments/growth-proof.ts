/**
 * Growth proof: that everything under an earlier head is still there under a later one, and in its place.
 *
 * A log has one tree for each segment. Within one this is a consistency proof. Across several it goes on from
 * one to the next by the first line of each, which names the root of the segment before and is itself proved to
 * be in the tree of its own.
 *
 * @see RFC 9162 §2.1.4
 * @module
 */
import { chainHash } from './chain.ts'
import { readEntry, type SegmentStart } from './entries.ts'
import type { ProofFault } from './event-proof.ts'
import { leafHash } from './merkle.ts'
import { isConsistent, isIncluded } from './proofs.ts'
import { readPublicKeys } from './published-keys.ts'
import { checkSignatures, readHead, readOrigin, type SignedHead, type TreeHead } from './signed-note.ts'

export interface GrowthProof {
  readonly v: 1
  /** Signed notes. */
  readonly from: string
  readonly to: string
  /** In base64: from `from` to the end of its segment, or to `to` where that is of the same one. */
  readonly hashes: readonly string[]
  /** The segments after it, each up to that of `to`. */
  readonly segments: readonly {
    /** Body of its first line. */
    readonly start: string
    /** In base64: from that line to the end of the segment, or to `to`. */
    readonly hashes: readonly string[]
  }[]
}

export type GrowthProofResult =
  | { readonly ok: true; readonly writer: string; readonly from: TreeHead; readonly to: TreeHead }
  | { readonly ok: false; readonly fault: ProofFault }

/**
 * Checks a proof. Needs neither the log nor a network.
 *
 * @param text - JSON of a {@link GrowthProof}.
 * @param keys - Public keys, one a line, as `publicKeyText` writes them.
 */
export function checkGrowthProof(text: string, { keys }: { readonly keys: string }): GrowthProofResult {
  const proof = readGrowthProof(text)
  const from = proof === undefined ? undefined : readPlaced(proof.from)
  const to = proof === undefined ? undefined : readPlaced(proof.to)
  if (proof === undefined || from === undefined || to === undefined)
    return { ok: false, fault: 'proof_malformed' }
  const known = readPublicKeys(keys)
  for (const { head } of [from, to]) {
    const signed = checkSignatures(head, known)
    if (signed !== 'valid') return { ok: false, fault: `signature_${signed}` }
  }
  if (!isGrown(from, to, proof)) return { ok: false, fault: 'proof_wrong' }
  return { ok: true, writer: from.writer, from: treeHead(from.head), to: treeHead(to.head) }
}

interface Placed {
  readonly head: SignedHead
  readonly writer: string
  readonly segment: number
}

function isGrown(from: Placed, to: Placed, { hashes, segments }: GrowthProof): boolean {
  if (from.writer !== to.writer || to.segment - from.segment !== segments.length) return false
  const starts = segments.map(({ start }) => readStart(start))
  const follow = starts.every(
    (start, i) =>
      start?.number === from.segment + i + 1 &&
      start.writer === from.writer &&
      start.previous?.number === from.segment + i,
  )
  if (!follow) return false
  /** The tree at the end of what is proved to be in front of segment `i` of those after the first. */
  const treeAt = (i: number) => {
    const previous = starts[i]?.previous
    return previous === undefined ? to.head : { size: previous.lines, root: bytesOf(previous.root) }
  }
  if (!isConsistent(from.head, treeAt(0), hashes.map(bytesOf))) return false
  return segments.every(({ start, hashes: proof }, i) => {
    const before = starts[i]?.previous?.hash
    if (before === undefined) return false
    const leaf = leafHash(chainHash(bytesOf(before), start))
    return isIncluded(leaf, { ...treeAt(i + 1), index: 0, proof: proof.map(bytesOf) })
  })
}

function readStart(body: string): SegmentStart | undefined {
  const entry = readEntry(body)
  return entry?.kind === 'segment' ? entry.segment : undefined
}

function readPlaced(note: string): Placed | undefined {
  const head = readHead(note)
  const origin = head === undefined ? undefined : readOrigin(head.origin)
  return head === undefined || origin === undefined ? undefined : { head, ...origin }
}

/** `undefined` when it has another shape. */
function readGrowthProof(text: string): GrowthProof | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { v, from, to, hashes, segments } = value as Partial<GrowthProof>
  const isProof =
    v === 1 &&
    typeof from === 'string' &&
    typeof to === 'string' &&
    areTexts(hashes) &&
    Array.isArray(segments) &&
    segments.every((one) => typeof one?.start === 'string' && areTexts(one.hashes))
  return isProof ? (value as GrowthProof) : undefined
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** Of base64 in either alphabet; what is none has another length than a hash. */
function bytesOf(text: unknown): Buffer {
  return Buffer.from(typeof text === 'string' ? text : '', 'base64')
}

function treeHead({ origin, size, root }: TreeHead): TreeHead {
  return { origin, size, root }
}
