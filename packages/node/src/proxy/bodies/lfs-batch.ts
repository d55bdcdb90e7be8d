/**
 * LFS batch: what the Hub answers to one, with our own addresses in the place of signed ones.
 *
 * pass on → **LFS batch** → client. Written anew from what is known of the format; nothing else of the answer gets
 * through.
 *
 * @see github.com/git-lfs/git-lfs, docs/api/batch.md
 * @module
 */
import { readBounded } from '../wire/json-body.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import { type Reply, textReply } from '../wire/reply.ts'
import { buildLfsLink, isObject, type LfsObject, lfsMediaType } from './lfs-link.ts'

/** One file of a batch: where it is, or why it is not to be had. */
export type LfsEntry = LfsObject &
  (
    | { readonly error: { readonly code: number; readonly message: string } }
    | { readonly href: string; readonly headers: readonly (readonly [name: string, value: string])[] }
  )

/** Longest answer: a batch has some hundred files, of less than two kilobytes each. */
const maxBatchBytes = 4 * 1024 * 1024
const timeoutMs = 30_000

/**
 * @param batch - Where clients reach the batch.
 * @throws ProxyRefusal `upstream_mismatch` for an answer that is not one to a download by the basic transfer.
 */
export async function withOwnLinks(answer: Reply, batch: URL): Promise<Reply> {
  const objects = (await readBatch(answer)).map((entry) => {
    const { oid, size } = entry
    if ('error' in entry) return { oid, size, error: entry.error }
    const href = buildLfsLink(batch, { oid, size })
    // Not `authenticated`: whoever follows it brings their own credential.
    return { oid, size, actions: { download: { href } } }
  })
  const { headers } = answer
  headers.delete('content-length')
  headers.set('content-type', lfsMediaType)
  const text = JSON.stringify({ transfer: 'basic', objects, hash_algo: 'sha256' })
  return textReply(answer.status, headers, text)
}

/** @throws ProxyRefusal `upstream_mismatch`. */
export async function readBatch(answer: Reply): Promise<LfsEntry[]> {
  const bytes = await readBounded(answer.body, { maxBytes: maxBatchBytes, timeoutMs })
  const { transfer = 'basic', objects } = asObject(parse(bytes))
  if (transfer !== 'basic' || !Array.isArray(objects)) throw mismatch()
  return objects.map(readEntry)
}

function readEntry(value: unknown): LfsEntry {
  const { oid, size, error, actions } = asObject(value)
  if (!isObject(oid, size)) throw mismatch()
  const object = { oid: oid as string, size: size as number }
  if (error !== undefined) {
    const { code, message } = asObject(error)
    if (typeof code !== 'number' || code < 400 || code > 599) throw mismatch()
    return { ...object, error: { code, message: typeof message === 'string' ? message.slice(0, 256) : '' } }
  }
  const { href, header = {} } = asObject(asObject(actions).download)
  if (typeof href !== 'string') throw mismatch()
  const headers = Object.entries(asObject(header)).map(([name, text]) => {
    if (typeof text !== 'string' || !/^[a-z0-9-]+$/i.test(name) || ours.has(name.toLowerCase()))
      throw mismatch()
    return [name, text] as const
  })
  return { ...object, href, headers }
}

/** What says whom a request is to, and how long it is, is not for an answer to say. */
const ours: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'range',
  'te',
  'transfer-encoding',
  'upgrade',
])

function parse(bytes: Uint8Array | 'too_large' | 'timeout'): unknown {
  if (typeof bytes === 'string') throw mismatch()
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw mismatch()
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as never
  throw mismatch()
}

function mismatch(): ProxyRefusal {
  return new ProxyRefusal('upstream_mismatch')
}
