/**
 * Request headers: what a client may say, and what of it is passed on.
 *
 * inbound → **request headers** → forward. Passed on is what stands on a list; so whatever claims an identity,
 * an address, a path, a method or somebody to bill has no way through, in any spelling.
 *
 * @see RFC 9110 §5.3 (one field line for each singleton), §7.6.1 (hop-by-hop), RFC 9112 §3.2 (Host)
 * @module
 */
import { Fields } from './fields.ts'
import type { HeaderList } from './inbound.ts'

export type HeaderFault = 'header_forbidden' | 'headers_too_large' | 'host_unknown' | 'expectation_unknown'

/** Most header fields of a request. */
export const maxHeaderFields = 64
/** Longest header section of a request, in bytes. */
export const maxHeaderBytes = 16_384
/** Most cookies of a request, empty ones too. */
const maxCookies = 32

/** Passed on as they came. `Authorization` and `Cookie` never are. */
const forwarded: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-language',
  'content-length',
  'content-type',
  'git-protocol',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
  'user-agent',
])

/** May come several times: they are lists, or nothing hangs on them. */
const repeatable: ReadonlySet<string> = new Set(['accept', 'accept-language', 'if-match', 'if-none-match'])

/** Must come once at most, though they are not passed on: something is decided by each of them. */
const decisive: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'content-encoding',
  'transfer-encoding',
  'expect',
])

/** Of what is passed on, `Connection` cannot take these away: they frame the body and say what it is. */
const ours: ReadonlySet<string> = new Set(['content-length', 'content-type'])

const hostText = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/

/**
 * Looks for what two servers would read differently.
 *
 * @param allowedHosts - Values of `Host` to answer to, in lower case; `undefined` for all.
 */
export function findHeaderFault(
  headers: HeaderList,
  allowedHosts?: ReadonlySet<string>,
): HeaderFault | undefined {
  if (headers.length > maxHeaderFields) return 'headers_too_large'
  const seen = new Set<string>()
  let bytes = 0
  let cookies = 0
  for (const [name, value] of headers) {
    bytes += name.length + value.length + ': \r\n'.length
    const key = name.toLowerCase()
    const single = decisive.has(key) || (forwarded.has(key) && !repeatable.has(key))
    if (single && seen.has(key)) return 'header_forbidden'
    seen.add(key)
    if (key === 'host') {
      const port = hostText.exec(value)
      if (port === null || Number(port[1] ?? 0) > 65_535) return 'header_forbidden'
      if (allowedHosts !== undefined && !allowedHosts.has(value.toLowerCase())) return 'host_unknown'
    }
    if (key === 'cookie') {
      if (!asciiText.test(value)) return 'header_forbidden'
      cookies += value.split(';', maxCookies + 1).length
    }
    if (key === 'expect' && value.toLowerCase() !== '100-continue') return 'expectation_unknown'
    if (key === 'transfer-encoding' && value.toLowerCase() !== 'chunked') return 'header_forbidden'
  }
  if (seen.has('transfer-encoding') && seen.has('content-length')) return 'header_forbidden'
  return bytes > maxHeaderBytes || cookies > maxCookies ? 'headers_too_large' : undefined
}

const asciiText = /^[\t -~]*$/

const claimsToPay = /^x[^a-z0-9]hf[^a-z0-9]bill[^a-z0-9]to$/i
const namesModel = /^x[^a-z0-9](?:[a-z0-9]+[^a-z0-9])?model(?:[^a-z0-9](?:id|name))?$/i

/** What a client says of who is to pay or of another model, in any spelling. It is not passed on; that it was tried is told. */
export function ignoredWish(headers: HeaderList): 'billing_ignored' | 'model_ignored' | undefined {
  if (headers.some(([name]) => claimsToPay.test(name))) return 'billing_ignored'
  return headers.some(([name]) => namesModel.test(name)) ? 'model_ignored' : undefined
}

/** What goes upstream of what the client said; the credential is added by whoever has one. */
export function forwardedHeaders(headers: HeaderList): Fields {
  const hopByHop = new Set(
    headers
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.split(','))
      .map((token) => token.trim().toLowerCase())
      .filter((token) => !ours.has(token)),
  )
  const kept = new Fields()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    if (forwarded.has(key) && !hopByHop.has(key)) kept.append(key, value)
  }
  // What the upstream compresses, our own client would unpack, and lengths and ranges would no longer fit.
  kept.set('accept-encoding', 'identity')
  return kept
}

/** The value of a field that comes once at most. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1]
}
