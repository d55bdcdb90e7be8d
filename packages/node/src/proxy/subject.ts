/**
 * Subject: what a request is about, wherever that is said, and the body as it was read for it.
 *
 * route → **subject** → decide, forward.
 *
 * @module
 */
import type { HubAction, Principal, RouteMatch } from '@hfauth/core'
import { inferenceModel, lfsAction, type NamedResource, namedRepository } from './body-question.ts'
import type { Inbound } from './inbound.ts'
import { readJsonBody } from './json-body.ts'
import { ProxyRefusal } from './proxy-refusal.ts'
import { headerValue } from './request-headers.ts'

export interface Subject {
  readonly action: HubAction
  readonly resource: NamedResource
  /** What goes upstream: written from what was judged, or the client's own stream when nothing in it decides. */
  readonly body: ReadableStream<Uint8Array> | string | undefined
  /** Media type of a body that was written here. */
  readonly mediaType?: string
}

export interface SubjectOptions {
  readonly jsonBodyBytes: number
  readonly bodyTimeoutMs: number
}

/** @throws ProxyRefusal as `readJsonBody` and the readers of a body do; `body_unexpected`, `body_encoded`. */
export async function readSubject(
  inbound: Inbound,
  match: RouteMatch,
  principal: Principal,
  options: SubjectOptions,
): Promise<Subject> {
  assertBody(inbound)
  const { route, resource, action } = match
  const { target } = route
  const read = async (mediaType: string) => {
    const value = await readJsonBody(inbound, {
      mediaType,
      maxBytes: options.jsonBodyBytes,
      timeoutMs: options.bodyTimeoutMs,
    })
    return { value, sent: { body: JSON.stringify(value), mediaType } }
  }
  if (target.in === 'body') {
    const { value, sent } = await read('application/json')
    const named =
      target.reads === 'inference-model' ? inferenceModel(value) : namedRepository(value, principal)
    return { action, resource: named, ...sent }
  }
  if (resource === undefined) throw new ProxyRefusal('route_unknown')
  if (target.in === 'path' && 'reads' in target) {
    const { value, sent } = await read('application/vnd.git-lfs+json')
    return { action: lfsAction(value), resource, ...sent }
  }
  return { action, resource, body: inbound.body }
}

/** A body where none belongs could be taken for the next request; an encoded one hides what it says. */
export function assertBody({ method, headers, body }: Inbound): void {
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) throw new ProxyRefusal('body_unexpected')
  if (headerValue(headers, 'content-encoding') !== undefined) throw new ProxyRefusal('body_encoded')
}
