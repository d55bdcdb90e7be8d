/**
 * Proxy refusals: every way in which the proxy itself turns a request away, with its words. Data.
 *
 * @module
 */
import type { Refusal } from '../../guard/refusal.ts'

const refusals = {
  path_ambiguous: [400, 'The path or query can be read in two ways.'],
  target_too_long: [414, 'The path and query are too long.'],
  header_forbidden: [400, 'A header is malformed, or was sent twice.'],
  headers_too_large: [431, 'There are too many headers, or they are too long.'],
  host_unknown: [421, 'This server does not answer to that host.'],
  expectation_unknown: [417, 'The request expects what this server does not do.'],
  request_malformed: [400, 'The request is not well-formed HTTP.'],
  request_timeout: [408, 'The request took too long to arrive.'],
  method_unknown: [405, 'This method is not used here.'],
  route_unknown: [404, 'There is nothing here.'],
  body_unexpected: [400, 'This request must not have a body.'],
  body_encoded: [415, 'Bodies must be sent without content encoding.'],
  body_type: [415, 'The body must be JSON in UTF-8, and say so.'],
  body_too_large: [413, 'The body is too long.'],
  body_timeout: [408, 'The body took too long to arrive.'],
  body_ambiguous: [400, 'The body can be read in two ways.'],
  body_invalid: [400, 'The body does not say what the request is about.'],
  model_unmapped: [403, 'Which model of Hugging Face that name stands for is not known.'],
  body_url: [403, 'The body points to an address outside.'],
  too_many_requests: [429, 'Too many requests are under way.'],
  no_upstream_credential: [403, 'There is no credential to do this with at Hugging Face.'],
  upstream_unavailable: [502, 'Hugging Face cannot be reached.'],
  upstream_timeout: [504, 'Hugging Face did not answer in time.'],
  upstream_mismatch: [502, 'The answer from Hugging Face cannot be passed on.'],
} as const satisfies Record<string, readonly [status: number, detail: string]>

export type ProxyReason = keyof typeof refusals

/** Thrown inside the proxy to end a request; never leaves it. */
export class ProxyRefusal extends Error {
  readonly reason: ProxyReason

  constructor(reason: ProxyReason) {
    super(reason)
    this.name = new.target.name
    this.reason = reason
  }
}

export function proxyRefusal(reason: ProxyReason): Refusal {
  const [status, detail] = refusals[reason]
  return {
    status,
    reason,
    detail,
    // The Hub's clients show this to their users.
    headers: {
      'x-error-message': detail,
      ...(reason === 'method_unknown' ? { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE' } : {}),
    },
  }
}
