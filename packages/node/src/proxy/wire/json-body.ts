/**
 * JSON body: read once, strictly and within bounds, because what stands in it decides.
 *
 * inbound → **JSON body** → question, forward. The decision is taken on the value returned here, and what goes
 * upstream is written from the same value: nobody reads the client's bytes a second time.
 *
 * @module
 */
import type { Json } from '@hfauth/core'
import { parseJson } from '@hfauth/core/json'
import type { Inbound } from './inbound.ts'
import { ProxyRefusal } from './proxy-refusal.ts'
import { chunksOf, type Reply } from './reply.ts'
import { headerValue } from './request-headers.ts'

export type JsonObject = { readonly [name: string]: Json }

export interface JsonBody {
  readonly value: JsonObject
  /** The value once more as text, with every number as the client wrote it: some are beyond what a double holds. */
  readonly text: string
}

export interface ReadJsonBodyOptions {
  /** The one media type to take, such as `application/json`. */
  readonly mediaType: string
  readonly maxBytes: number
  /** Longest wait for the whole body, in milliseconds. */
  readonly timeoutMs: number
}

/**
 * @throws ProxyRefusal 415 `body_type`, 413 `body_too_large`, 408 `body_timeout`, or 400 `body_ambiguous` for
 * anything but one strict JSON object in UTF-8.
 */
export async function readJsonBody(inbound: Inbound, options: ReadJsonBodyOptions): Promise<JsonBody> {
  const { mediaType, maxBytes, timeoutMs } = options
  if (!isMediaType(headerValue(inbound.headers, 'content-type'), mediaType))
    throw new ProxyRefusal('body_type')
  if (Number(headerValue(inbound.headers, 'content-length') ?? 0) > maxBytes)
    throw new ProxyRefusal('body_too_large')
  const bytes = await readBounded(inbound.body && chunksOf(inbound.body), { maxBytes, timeoutMs })
  if (bytes === 'too_large') throw new ProxyRefusal('body_too_large')
  if (bytes === 'timeout') throw new ProxyRefusal('body_timeout')
  return parseObject(bytes, maxBytes)
}

function parseObject(bytes: Uint8Array, maxLength: number): JsonBody {
  let value: Json
  let text: string
  try {
    // A byte order mark is kept, and then is no JSON.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = parseJson(text, { maxLength })
  } catch {
    throw new ProxyRefusal('body_ambiguous')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ProxyRefusal('body_invalid')
  return { value: value as JsonObject, text: plainSpelling(text) }
}

/** The same JSON without space, and each string in the one spelling that JSON.stringify has for it. */
function plainSpelling(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|[ \t\r\n]+/g, (token) =>
    token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : '',
  )
}

/** Exactly the type, in UTF-8 when it names a character set. */
function isMediaType(header: string | undefined, mediaType: string): boolean {
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';')
  return type.trim() === mediaType && parameters.every((text) => /^\s*charset="?utf-8"?\s*$/.test(text))
}

/**
 * A member that decides. Its name in another spelling (`Model`, `model `) is a rival: some readers do not
 * mind case, and would see the other one.
 *
 * @throws ProxyRefusal 400 `body_ambiguous`.
 */
export function decisiveMember(body: JsonObject, name: string): Json | undefined {
  for (const key of Object.keys(body)) {
    if (key !== name && key.trim().toLowerCase() === name.toLowerCase())
      throw new ProxyRefusal('body_ambiguous')
  }
  return Object.hasOwn(body, name) ? body[name] : undefined
}

export interface ReadBoundedOptions {
  readonly maxBytes: number
  /** Longest wait for all of it, in milliseconds. */
  readonly timeoutMs: number
}

/** All bytes of a body, unless there are too many or they take too long; then the rest is not read. */
export async function readBounded(
  body: Reply['body'] | undefined,
  { maxBytes, timeoutMs }: ReadBoundedOptions,
): Promise<Uint8Array | 'too_large' | 'timeout'> {
  if (body === null || body === undefined) return new Uint8Array()
  if (typeof body === 'string') return Buffer.from(body)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), timeoutMs)
  })
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for (;;) {
      const next = await Promise.race([body.read(), late])
      if (next === undefined) return Buffer.concat(parts)
      if (next !== 'timeout') size += next.length
      if (next === 'timeout' || size > maxBytes) {
        body.cancel()
        return next === 'timeout' ? next : 'too_large'
      }
      parts.push(next)
    }
  } finally {
    clearTimeout(timer)
  }
}
