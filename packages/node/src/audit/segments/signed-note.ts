/**
 * Signed note: a tree head as transparency logs write it, so that their tools can check and countersign it.
 *
 * tree → **head** → segment, and a place outside. Three lines of text and the signatures over them (Ed25519).
 *
 * @see C2SP tlog-checkpoint, signed-note
 * @module
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'

export interface TreeHead {
  /** Which log it is about: `hfauth-audit/WRITER/NUMBER`. */
  readonly origin: string
  /** Lines that it covers. */
  readonly size: number
  /** 32 bytes. */
  readonly root: Buffer
}

/** What signs heads. */
export interface AuditKey {
  readonly name: string
  /** Ed25519. */
  readonly privateKey: KeyObject
}

/** What checks them. */
export interface AuditPublicKey {
  readonly name: string
  /** Four bytes that name the key in a signature, in hex. */
  readonly id: string
  readonly key: KeyObject
}

export interface SignedHead extends TreeHead {
  /** The text that the signatures cover. */
  readonly text: string
  readonly signatures: readonly { readonly name: string; readonly id: string; readonly bytes: Buffer }[]
}

const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex')
const nameText = /^[\w./:-]{1,128}$/

/** The name of one segment of a log, as heads have it. */
export function originOf(writer: string, segment: number): string {
  return `hfauth-audit/${writer}/${segment}`
}

/** Reads such a name; `undefined` when it is not one. */
export function readOrigin(
  origin: string,
): { readonly writer: string; readonly segment: number } | undefined {
  const [, writer, number] = /^hfauth-audit\/([\w.-]+)\/([1-9]\d{0,14})$/.exec(origin) ?? []
  return writer === undefined ? undefined : { writer, segment: Number(number) }
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the key is not a private Ed25519 key, or its name is not one. */
export function auditKey(privateKey: KeyObject, name = 'hfauth-audit'): AuditKey {
  if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519')
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'the key of an audit log must be a private Ed25519 key')
  if (!nameText.test(name))
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      'the name of an audit key has a character that it must not have',
    )
  return { name, privateKey }
}

/** The public half, as one line of text: `NAME+ID+BASE64`. */
export function publicKeyText({ name, privateKey }: AuditKey): string {
  const raw = rawKey(createPublicKey(privateKey))
  return `${name}+${keyId(name, raw)}+${Buffer.concat([Buffer.of(1), raw]).toString('base64')}`
}

/** Reads such a line; `undefined` when it is not one. */
export function readPublicKey(line: string): AuditPublicKey | undefined {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(line.trim()) ?? []
  if (name === undefined || id === undefined || encoded === undefined) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  const raw = bytes.subarray(1)
  if (bytes.length !== 33 || bytes[0] !== 1 || keyId(name, raw) !== id) return undefined
  const key = createPublicKey({ key: Buffer.concat([ed25519Prefix, raw]), format: 'der', type: 'spki' })
  return { name, id, key }
}

/** Signs with every key given: two while keys change. */
export function signHead({ origin, size, root }: TreeHead, keys: readonly AuditKey[]): string {
  const text = `${origin}\n${size}\n${root.toString('base64')}\n`
  const lines = keys.map(({ name, privateKey }) => {
    const id = Buffer.from(keyId(name, rawKey(createPublicKey(privateKey))), 'hex')
    const signature = sign(null, Buffer.from(text), privateKey)
    return `\u2014 ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`
  })
  return `${text}\n${lines.join('')}`
}

/** Takes a note apart without checking a signature; `undefined` when it is not a head. */
export function readHead(note: string): SignedHead | undefined {
  const [, text, origin, size, root, lines] =
    /^(([^\n]{1,256})\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n)\n((?:\u2014 [^\n]{1,512}\n)+)$/.exec(
      note,
    ) ?? []
  if (text === undefined || origin === undefined || root === undefined || lines === undefined)
    return undefined
  const signatures = lines
    .trimEnd()
    .split('\n')
    .map((line) => /^\u2014 (\S+) ([A-Za-z0-9+/=]+)$/.exec(line))
  if (signatures.some((match) => match === null)) return undefined
  return {
    text,
    origin,
    size: Number(size),
    root: Buffer.from(root, 'base64'),
    signatures: signatures.map((match) => {
      const bytes = Buffer.from(match?.[2] ?? '', 'base64')
      return { name: match?.[1] ?? '', id: bytes.toString('hex', 0, 4), bytes: bytes.subarray(4) }
    }),
  }
}

/** `valid`: one of `keys` signed it; `invalid`: a signature in the name of one is wrong; else `unknown`. */
export function checkSignatures(
  head: SignedHead,
  keys: readonly AuditPublicKey[],
): 'valid' | 'invalid' | 'unknown' {
  let answer: 'valid' | 'unknown' = 'unknown'
  for (const { name, id, bytes } of head.signatures) {
    const known = keys.find((key) => key.name === name && key.id === id)
    if (known === undefined) continue
    if (bytes.length !== 64 || !verify(null, Buffer.from(head.text), known.key, bytes)) return 'invalid'
    answer = 'valid'
  }
  return answer
}

function rawKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-32)
}

function keyId(name: string, raw: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(1), raw]), 'buffer').toString(
    'hex',
    0,
    4,
  )
}
