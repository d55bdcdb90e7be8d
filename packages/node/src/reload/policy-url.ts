/**
 * Policy by URL: a policy in any HTTP store, asked for with the tag of the one that is known.
 *
 * **url** → follow. Bounded in time and size; redirects are refused, so that a token meets no other host.
 *
 * @see RFC 9110 §8.8.3 (ETag), §13.1.2 (If-None-Match), §15.4.5 (304)
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { callableEndpoint } from '../internal/endpoint.ts'
import { numberOption } from '../internal/number-option.ts'
import { type BoundedResponse, type Fetch, requestBounded } from '../internal/request.ts'
import { policyUnavailable } from './policy-unavailable.ts'
import type { PolicySource } from './types.ts'

export interface PolicyUrlOptions {
  /** Sent as a bearer token. Asked for each time, so that it may be another one tomorrow. */
  readonly token?: () => string | Promise<string>
  /** Longest wait for the whole answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
  /** Longest text, in bytes. Default 4 MiB. */
  readonly maxBytes?: number
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch
}

/**
 * @param address - By https, or http on this machine.
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when it is not such an address, or a bound is no number.
 */
export function policyUrl(address: string, options: PolicyUrlOptions = {}): PolicySource {
  const url = URL.canParse(address) ? callableEndpoint(address, address) : undefined
  if (url === undefined) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'the policy must be at an https address without a user')
  }
  const { href } = url
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 10_000, { min: 1 })
  const maxBytes = numberOption('maxBytes', options.maxBytes ?? 4 * 1024 * 1024, { min: 1 })
  const { token, fetch = globalThis.fetch } = options
  /** What the server calls the text that was read last. */
  let known: string | undefined

  async function ask(): Promise<BoundedResponse> {
    const bearer = await token?.()
    const headers = {
      accept: 'application/yaml, application/json, text/plain;q=0.9',
      ...(known === undefined ? {} : { 'if-none-match': known }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    }
    return requestBounded(href, { subject: 'the policy', fetch, timeoutMs, maxBytes, headers })
  }

  return {
    async load() {
      const { status, headers, text } = await ask().catch((error: Error) => {
        throw policyUnavailable(error.message.replace(/^the policy is unavailable: /, ''))
      })
      if (known !== undefined && status === 304) return undefined
      if (status !== 200) throw policyUnavailable(`the server answered ${status}`)
      known = headers.get('etag') ?? undefined
      return text
    },
  }
}
