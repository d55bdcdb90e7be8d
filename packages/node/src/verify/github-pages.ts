/**
 * GitHub pages: a list that GitHub tells in parts, followed to its end within bounds.
 *
 * GitHub → **GitHub pages** → GitHub answers. The person's token goes with every request, so that the next page
 * is asked for on the origin of the API and nowhere else. A list whose end was not reached says so.
 *
 * @see docs.github.com: REST, "Using pagination in the REST API"; RFC 8288 §3 (Link)
 * @module
 */
import type { Claims } from '@hfauth/core'
import { parseJson } from '@hfauth/core/json'
import { isJsonObject } from '../internal/json-object.ts'
import type { BoundedResponse } from '../internal/request.ts'

export interface PagesOptions {
  /** Base address of the API. */
  readonly api: string
  /** Longest wait for one page, and for all that follow the first together, in milliseconds. */
  readonly timeoutMs: number
  /** Current time in epoch milliseconds. */
  readonly now: () => number
  ask(url: string, timeoutMs: number): Promise<BoundedResponse>
}

export interface Listed {
  readonly entries: readonly Claims[]
  /** False when there is more, may be more, or nothing could be read. */
  readonly isWhole: boolean
}

/** Most pages of one list: a thousand entries, at 100 a page. */
export const maxPages = 10

/**
 * Reads the list at `path`, page by page.
 *
 * A further page that fails, comes too late or is of another shape ends the reading; what it would have told is
 * unknown.
 *
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when there is no answer for the first page.
 */
export async function readPages(path: string, options: PagesOptions): Promise<Listed> {
  const { api, timeoutMs, now, ask } = options
  let response = await ask(`${api}${path}`, timeoutMs)
  const untilMs = now() + timeoutMs
  const entries: Claims[] = []
  for (let page = 1; ; page++) {
    const list = readList(response)
    if (list === undefined) return { entries, isWhole: false }
    entries.push(...list)
    const link = response.headers.get('link') ?? ''
    if (!hasNext(link)) return { entries, isWhole: true }
    const next = nextOf(link, api)
    const leftMs = untilMs - now()
    if (next === undefined || page === maxPages || leftMs <= 0) return { entries, isWhole: false }
    try {
      response = await ask(next, Math.min(leftMs, timeoutMs))
    } catch {
      return { entries, isWhole: false }
    }
  }
}

/** Whether there is more, however it is written: a link that cannot be read is no end. */
function hasNext(link: string): boolean {
  return /\brel\s*=\s*"?[^";,]*\bnext\b/i.test(link)
}

/** The next page's address, when it is on the API's own origin. */
function nextOf(link: string, api: string): string | undefined {
  for (const [, address = '', parameters = ''] of link.matchAll(/<([^<>]*)>([^<]*)/g)) {
    if (!hasNext(parameters) || !URL.canParse(address)) continue
    const { href, origin, username, password } = new URL(address)
    return origin === new URL(api).origin && username === '' && password === '' ? href : undefined
  }
  return undefined
}

function readList({ status, text }: BoundedResponse): readonly Claims[] | undefined {
  if (status !== 200) return undefined
  try {
    const value = parseJson(text)
    return Array.isArray(value) && value.every(isJsonObject) ? (value as Claims[]) : undefined
  } catch {
    return undefined
  }
}
