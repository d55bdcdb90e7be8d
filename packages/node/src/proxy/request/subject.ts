/**
 * Subject: what a request is about, wherever that is said, and the body as it was read for it.
 *
 * route → **subject** → decide, forward. Some requests are about more than one thing, and then all of it has to
 * be allowed: both ends of a move, every ref of a push, the model that an endpoint is to run.
 *
 * @module
 */
import type { Principal, RouteMatch, RouteTarget } from '@hfauth/core'
import {
  type AskedQuestion,
  assertSameModel,
  copiedTo,
  inferenceModel,
  lfsQuestion,
  loadedModel,
  lockQuestion,
  madeCollection,
  madeEndpoint,
  movedRepository,
  namedRepository,
  providerModel,
} from '../bodies/body-question.ts'
import { assertUrls } from '../bodies/body-urls.ts'
import { readGitCommands } from '../bodies/git-commands.ts'
import { isLfsObject, lfsMediaType, readLfsLink } from '../bodies/lfs-link.ts'
import type { ProviderModels } from '../upstream/provider-models.ts'
import type { Address } from '../wire/addresses.ts'
import type { HubTarget } from '../wire/hub-target.ts'
import type { Inbound } from '../wire/inbound.ts'
import { type JsonObject, readJsonBody } from '../wire/json-body.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import { headerValue } from '../wire/request-headers.ts'

export interface Subject {
  readonly questions: readonly [AskedQuestion, ...AskedQuestion[]]
  /** What goes upstream: written from what was judged, or the client's own stream when nothing in it decides. */
  readonly body: ReadableStream<Uint8Array> | string | undefined
  /** Whether nothing is done yet, and only asked whether it may be at some revision. */
  readonly discovery?: boolean
  /** Media type of a body that was written here. */
  readonly mediaType?: string
}

export interface SubjectOptions {
  readonly jsonBodyBytes: number
  readonly bodyTimeoutMs: number
  readonly urlHosts: readonly string[]
  readonly signedUrls: 'pass' | 'through'
  readonly providerModels: ProviderModels
}

export interface SubjectFrom {
  readonly inbound: Inbound
  readonly target: Pick<HubTarget, 'path' | 'query'>
  readonly match: RouteMatch
  readonly address: Address
  readonly principal: Principal
}

/** @throws ProxyRefusal as the readers of bodies do; `body_unexpected`, `body_encoded`. */
export async function readSubject(from: SubjectFrom, options: SubjectOptions): Promise<Subject> {
  const { inbound, match, address } = from
  const { action, route } = match
  const { target } = route
  assertBody(inbound, route.path.endsWith('/git-upload-pack'))
  if (target.in === 'host') {
    const { deployed } = address
    if (deployed === undefined) throw new ProxyRefusal('route_unknown')
    const { type, id } = deployed
    return { questions: [{ action, resource: { type, id, attributes: {} } }], body: inbound.body }
  }
  if (isLfsObject(route.path)) return readLfsObject(from, options)
  if (target.in === 'path' && 'reads' in target && target.reads === 'git-commands')
    return readPush(from, options)
  if ('reads' in target) return readJsonSubject(from, target, options)
  const { resource } = match
  if (resource === undefined) throw new ProxyRefusal('route_unknown')
  return { questions: [{ action, resource }], body: inbound.body, discovery: route.discovery === true }
}

type JsonTarget = Extract<RouteTarget, { readonly reads: string }>

async function readJsonSubject(
  { inbound, match, principal }: SubjectFrom,
  target: JsonTarget,
  options: SubjectOptions,
): Promise<Subject> {
  const isLfs = target.reads === 'lfs-operation' || target.reads === 'lfs-lock'
  const mediaType = isLfs ? lfsMediaType : 'application/json'
  const { value, text } = await readJsonBody(inbound, {
    mediaType,
    maxBytes: options.jsonBodyBytes,
    timeoutMs: options.bodyTimeoutMs,
  })
  if (match.action === 'infer') assertUrls(value, options.urlHosts)
  const [first, ...more] =
    target.reads === 'provider-model'
      ? await askedByProvider(value, match, options)
      : questionsOf(value, target, match, principal)
  if (first === undefined) throw new ProxyRefusal('body_invalid')
  // The other ways of transfer lead past the proxy.
  const isBasic = isLfs && first.action === 'read' && options.signedUrls === 'through'
  const body = isBasic ? JSON.stringify({ ...value, transfers: ['basic'] }) : text
  return { questions: [first, ...more], body, mediaType }
}

async function askedByProvider(
  body: JsonObject,
  { action, route: { provider = '' } }: RouteMatch,
  { providerModels }: SubjectOptions,
): Promise<AskedQuestion[]> {
  const models = await providerModel(body, provider, providerModels)
  return models.map((resource) => ({ action, resource }))
}

function questionsOf(
  body: JsonObject,
  target: JsonTarget,
  { action, resource, owner = '' }: RouteMatch,
  principal: Principal,
): AskedQuestion[] {
  switch (target.reads) {
    case 'inference-model':
      return [{ action, resource: inferenceModel(body) }]
    case 'repository':
      return [{ action, resource: namedRepository(body, principal) }]
    case 'move':
      return movedRepository(body)
    case 'collection':
      return [{ action, resource: madeCollection(body) }]
    case 'endpoint':
      return [{ action, resource: madeEndpoint(body, owner) }, ...loadedModel(body)]
    default:
  }
  if (resource === undefined) return []
  switch (target.reads) {
    case 'lfs-operation':
      return [lfsQuestion(body, resource)]
    case 'lfs-lock':
      return [lockQuestion(body, resource)]
    case 'duplicate':
      return [
        { action, resource },
        { action: 'create', resource: copiedTo(body, resource) },
      ]
    case 'endpoint-model':
      return [{ action, resource }, ...loadedModel(body)]
    case 'same-model':
      assertSameModel(body, resource)
      return [{ action, resource }]
    default:
      return []
  }
}

/** One file by our own address, judged as the batch was. */
function readLfsObject({ target, match }: SubjectFrom, { signedUrls }: SubjectOptions): Subject {
  const { action, resource } = match
  if (resource === undefined || signedUrls !== 'through') throw new ProxyRefusal('route_unknown')
  readLfsLink(target)
  return { questions: [{ action, resource }], body: undefined }
}

/** A push is about every ref that it changes. One that changes none asks whether it would be let in. */
async function readPush({ inbound, match }: SubjectFrom, options: SubjectOptions): Promise<Subject> {
  const { action, resource } = match
  if (resource === undefined) throw new ProxyRefusal('route_unknown')
  const { revisions, body } = await readGitCommands(inbound.body, {
    maxBytes: options.jsonBodyBytes,
    timeoutMs: options.bodyTimeoutMs,
  })
  const [first, ...more] = revisions.map((revision) => ({
    action,
    resource: { ...resource, attributes: { ...resource.attributes, revision } },
  }))
  if (first === undefined) return { questions: [{ action, resource }], body, discovery: true }
  return { questions: [first, ...more], body }
}

/**
 * A body where none belongs could be taken for the next request; an encoded one hides what it says.
 *
 * @param encoded - Whether the route has a body in which nothing decides, and which Git compresses.
 */
export function assertBody({ method, headers, body }: Inbound, encoded = false): void {
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) throw new ProxyRefusal('body_unexpected')
  const encoding = headerValue(headers, 'content-encoding')
  if (encoding !== undefined && !(encoded && encoding.toLowerCase() === 'gzip'))
    throw new ProxyRefusal('body_encoded')
}
