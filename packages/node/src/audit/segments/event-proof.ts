/**
 * Event proof: that one event is in a log, as a text that anybody can check with the public key alone.
 *
 * A transparency log proof: the data of the leaf is the chain's hash of the line, and the extra data is what that
 * hash is made of: the hash before it and the body of the line.
 *
 * @see C2SP tlog-proof; RFC 9162 §2.1.3
 * @module
 */
import { chainHash } from './chain.ts'
import { readEntry, type StoredEvent } from './entries.ts'
import { leafHash } from './merkle.ts'
import { isIncluded } from './proofs.ts'
import { readPublicKeys } from './published-keys.ts'
import { checkSignatures, readHead, readOrigin, type TreeHead } from './signed-note.ts'

export interface EventProof {
  /** Of the line before. */
  readonly previous: Buffer
  /** The line without its hash, as it is stored. */
  readonly body: string
  /** From 0. */
  readonly index: number
  readonly hashes: readonly Buffer[]
  /** A signed note. */
  readonly head: string
}

/** Why a proof shows nothing. */
export type ProofFault =
  /** It is not a proof, or not of a log of ours. */
  | 'proof_malformed'
  /** A signature in the name of a known key is wrong. */
  | 'signature_invalid'
  /** No known key signed the head. */
  | 'signature_unknown'
  /** The hashes do not lead to what was signed. */
  | 'proof_wrong'

export type EventProofResult =
  | {
      readonly ok: true
      readonly event: StoredEvent
      /** Where it stands; lines are counted from 1. */
      readonly writer: string
      readonly segment: number
      readonly line: number
      /** What was signed: the first `size` lines of the segment. */
      readonly head: TreeHead
    }
  | { readonly ok: false; readonly fault: ProofFault }

const firstLine = 'c2sp.org/tlog-proof@v1'

export function writeEventProof({ previous, body, index, hashes, head }: EventProof): string {
  const extra = Buffer.concat([previous, Buffer.from(body)]).toString('base64')
  const lines = [
    firstLine,
    `extra ${extra}`,
    `index ${index}`,
    ...hashes.map((hash) => hash.toString('base64')),
  ]
  return `${lines.join('\n')}\n\n${head}`
}

/**
 * Checks a proof. Needs neither the log nor a network.
 *
 * @param keys - Public keys, one a line, as `publicKeyText` writes them.
 */
export function checkEventProof(text: string, { keys }: { readonly keys: string }): EventProofResult {
  const proof = readEventProof(text)
  const head = proof === undefined ? undefined : readHead(proof.head)
  const origin = head === undefined ? undefined : readOrigin(head.origin)
  const entry = proof === undefined ? undefined : readEntry(proof.body)
  if (proof === undefined || head === undefined || origin === undefined || entry?.kind !== 'event')
    return { ok: false, fault: 'proof_malformed' }
  const signed = checkSignatures(head, readPublicKeys(keys))
  if (signed !== 'valid') return { ok: false, fault: `signature_${signed}` }
  const { previous, body, index, hashes } = proof
  const { size, root } = head
  const own = chainHash(previous, body)
  if (!isIncluded(leafHash(own), { index, size, root, proof: hashes }))
    return { ok: false, fault: 'proof_wrong' }
  const event = { ...entry.event, hash: own.toString('base64url') }
  return { ok: true, event, ...origin, line: index + 1, head: { origin: head.origin, size, root } }
}

/** `undefined` when it is not one. */
function readEventProof(text: string): EventProof | undefined {
  const [, extra, index, hashes, head] =
    /^c2sp\.org\/tlog-proof@v1\nextra ([A-Za-z0-9+/]+={0,2})\nindex (0|[1-9]\d{0,15})\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n(.+)$/s.exec(
      text,
    ) ?? []
  if (extra === undefined || index === undefined || hashes === undefined || head === undefined)
    return undefined
  const bytes = Buffer.from(extra, 'base64')
  if (bytes.length < 34 || bytes.toString('base64') !== extra) return undefined
  const body = bytes.toString('utf8', 32)
  // The hash covers bytes: what is no text would be shown as another one.
  if (!Buffer.from(body).equals(bytes.subarray(32))) return undefined
  return {
    previous: bytes.subarray(0, 32),
    body,
    index: Number(index),
    hashes: hashes
      .split('\n')
      .slice(0, -1)
      .map((hash) => Buffer.from(hash, 'base64')),
    head,
  }
}
