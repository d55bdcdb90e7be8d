/**
 * LFS link: the proxy's own address of a large file, in the place of a signed one.
 *
 * It is no credential: whoever follows it is asked who they are, and judged as if they had asked for the batch.
 * It holds no secret and needs no memory, so that every replica can answer.
 *
 * @see github.com/git-lfs/git-lfs, docs/api/batch.md and basic-transfers.md
 * @module
 */
import type { RequestTarget } from '../../guard/request-target.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'

export interface LfsObject {
  /** SHA-256, in hex. */
  readonly oid: string
  /** In bytes. */
  readonly size: number
}

export const lfsMediaType = 'application/vnd.git-lfs+json'

const oidText = /^[0-9a-f]{64}$/

/** Whether the route is that of a batch. */
export function isLfsBatch(path: string): boolean {
  return path.endsWith('/info/lfs/objects/batch')
}

/** Whether the route is that of our own addresses. */
export function isLfsObject(path: string): boolean {
  return path.endsWith('/info/lfs/objects/{x}')
}

/** Whether the route is about locks of files. */
export function isLfsLock(path: string): boolean {
  return path.includes('/info/lfs/locks')
}

/** @param batch - Address of the batch that the file was asked for with. */
export function buildLfsLink(batch: URL, { oid, size }: LfsObject): string {
  const url = new URL(oid, batch)
  url.searchParams.set('size', String(size))
  return url.href
}

/** @throws ProxyRefusal `route_unknown` for what is none of our addresses. */
export function readLfsLink({ path, query }: Pick<RequestTarget, 'path' | 'query'>): LfsObject {
  const oid = path.slice(path.lastIndexOf('/') + 1)
  const size = query.get('size') ?? ''
  const isOurs = [...query.keys()].every((name) => name === 'size')
  if (!isOurs || !isObject(oid, /^(?:0|[1-9]\d{0,15})$/.test(size) ? Number(size) : Number.NaN))
    throw new ProxyRefusal('route_unknown')
  return { oid, size: Number(size) }
}

export function isObject(oid: unknown, size: unknown): boolean {
  return typeof oid === 'string' && oidText.test(oid) && Number.isSafeInteger(size) && (size as number) >= 0
}
