/**
 * Cookies: read so that nobody can slip one in, and written so that nobody else can read them.
 *
 * The prefix `__Host-` keeps subdomains and plain http from setting the cookie. A name that comes twice is
 * taken for none: which of the two is ours cannot be told.
 *
 * @see RFC 6265bis §4.1.3.2 (prefixes), §5.6 (what browsers store)
 * @module
 */

/** Longest `Cookie` header that is looked at, in characters. */
const maxHeaderLength = 32_768

/** The most that browsers keep of one cookie, name and value together. */
export const maxCookieLength = 4096

const cookieValue = /^[A-Za-z0-9\-._~]+$/

/** The value of the cookie called `name`, when there is exactly one and it could be ours. */
export function readCookie(headers: Pick<Headers, 'get'>, name: string): string | undefined {
  return readCookies(headers, name).find((cookie) => cookie.name === name)?.value
}

export interface Cookie {
  readonly name: string
  readonly value: string
}

/** Whether a cookie of exactly this name comes more than once. */
export function isDoubled(headers: Pick<Headers, 'get'>, name: string): boolean {
  return pairsOf(headers, name).filter((pair) => pair.name === name).length > 1
}

/** Cookies whose names begin with `prefix`; none of a name that comes twice, or with a value of others. */
export function readCookies(headers: Pick<Headers, 'get'>, prefix: string): Cookie[] {
  const pairs = pairsOf(headers, prefix)
  // Counted once for all: a header may be full of one name, and whoever sends it must not have us look at each for each.
  const counts = new Map<string, number>()
  for (const { name } of pairs) counts.set(name, (counts.get(name) ?? 0) + 1)
  return pairs.filter(({ name, value }) => counts.get(name) === 1 && cookieValue.test(value))
}

function pairsOf(headers: Pick<Headers, 'get'>, prefix: string): Cookie[] {
  const header = headers.get('cookie') ?? ''
  if (header.length > maxHeaderLength) return []
  return header.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=')
    const name = trimmed(pair.slice(0, Math.max(equals, 0)))
    return name.startsWith(prefix) ? [{ name, value: trimmed(pair.slice(equals + 1)) }] : []
  })
}

/**
 * Without spaces and tabs around it, and nothing else: what other readers call white space a browser keeps as a part of
 * the name, so that `\u00a0__Host-…` is a cookie that any subdomain may set.
 */
function trimmed(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isBlank(text, start)) start++
  while (end > start && isBlank(text, end - 1)) end--
  return text.slice(start, end)
}

function isBlank(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '\t'
}

/** A `Set-Cookie` line. Lax and not Strict, or the way back from the provider would arrive without it. */
export function buildCookie({ name, value }: Cookie, maxAgeSeconds: number): string {
  return `${name}=${value}; Max-Age=${maxAgeSeconds}; Path=/; Secure; HttpOnly; SameSite=Lax`
}

/** A `Set-Cookie` line that removes the cookie. */
export function removalOf(name: string): string {
  return buildCookie({ name, value: '' }, 0)
}
