/**
 * Answer: tells a provider's answer in the address from everything else an address can hold.
 *
 * **answer** → callback. Only reads: whose answer it is, and whether it is any good, is decided later.
 *
 * @module
 */

export interface Answer {
  readonly state: string
  readonly parameters: URLSearchParams
  /** The address without the answer; what else was in it stays, letter for letter. */
  readonly cleaned: string
  /** In the fragment, where nothing was asked to be put. */
  readonly inFragment: boolean
  /** What makes it unacceptable whoever sent it. */
  readonly fault: string | undefined
}

const tokenNames = ['access_token', 'id_token', 'refresh_token']
const answerNames = ['state', 'code', 'error', 'error_description', 'error_uri', 'iss', 'session_state']

/**
 * @returns `undefined` unless `state` comes together with `code` or `error`.
 * @see RFC 6749 §4.1.2, RFC 9207 §2
 */
export function readAnswer(href: string): Answer | undefined {
  const url = new URL(href)
  // A copy: the URL's own list changes when its query does.
  const query = new URLSearchParams(url.search)
  const fragment = new URLSearchParams(url.hash.slice(1))
  const inQuery = isAnswer(query, ['code', 'error'])
  const inFragment = !inQuery && isAnswer(fragment, ['code', 'error', ...tokenNames])
  const parameters = inQuery ? query : fragment
  const state = parameters.get('state')
  if (!state || !(inQuery || inFragment)) return undefined

  const holdsToken = tokenNames.some((name) => query.has(name) || fragment.has(name))
  url.search = withoutAnswer(url.search)
  if (inFragment || holdsToken) url.hash = ''
  return {
    state,
    parameters,
    cleaned: url.href,
    inFragment,
    fault: holdsToken
      ? 'it carries a token in the address'
      : inFragment
        ? 'it came in the fragment'
        : undefined,
  }
}

function isAnswer(parameters: URLSearchParams, names: readonly string[]): boolean {
  return parameters.has('state') && names.some((name) => parameters.has(name))
}

function withoutAnswer(search: string): string {
  const pairs = search.slice(1).split('&')
  const kept = pairs.filter((pair) => {
    const name = new URLSearchParams(pair).keys().next().value ?? ''
    return ![...answerNames, ...tokenNames].includes(name)
  })
  return kept.join('&')
}
