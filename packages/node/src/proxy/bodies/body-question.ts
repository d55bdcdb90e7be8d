/**
 * Body question: the resource that a JSON body names, for routes whose path does not.
 *
 * JSON body → **body question** → decide.
 *
 * @module
 */
import type { HubAction, Principal } from '@hfauth/core'
import type { ProviderModels } from '../upstream/provider-models.ts'
import { decisiveMember, type JsonObject } from '../wire/json-body.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'

export interface NamedResource {
  readonly type: string
  readonly id: string
  readonly attributes: { readonly revision?: string; readonly path?: string; readonly provider?: string }
}

/** One thing to be decided about a request; a request may take several. */
export interface AskedQuestion {
  readonly action: HubAction
  readonly resource: NamedResource
}

const word = '[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}'
const modelName = new RegExp(`^(${word}/${word})(?::([a-z0-9][a-z0-9-]{0,31}))?$`)
const repositoryName = new RegExp(`^${word}$`)
const modelId = new RegExp(`^${word}/${word}$`)

const fallbacks = ['models', 'fallbacks', 'fallback_models'] as const

/** Not providers but ways to choose one: which it will be, nobody knows beforehand. */
const choices: ReadonlySet<string> = new Set(['fastest', 'cheapest', 'preferred'])

/**
 * The model of an inference call: `org/name`, or `org/name:provider`.
 *
 * @throws ProxyRefusal 400 `body_invalid` for any other shape.
 */
export function inferenceModel(body: JsonObject): NamedResource {
  const [, id, suffix] = modelName.exec(oneModel(body)) ?? []
  if (id === undefined) throw new ProxyRefusal('body_invalid')
  const provider = suffix === undefined || choices.has(suffix) ? undefined : suffix
  return { type: 'model', id, attributes: provider === undefined ? {} : { provider } }
}

/**
 * The models that a provider's own name stands for: whoever uses it must be allowed to use each of them.
 *
 * @throws ProxyRefusal as {@link ProviderModels} does; 400 `body_invalid`, `body_ambiguous`.
 */
export async function providerModel(
  body: JsonObject,
  provider: string,
  modelsOf: ProviderModels,
): Promise<NamedResource[]> {
  const ids = await modelsOf(provider, oneModel(body))
  return ids.map((id) => ({ type: 'model', id, attributes: { provider } }))
}

/** The name of the one model that a body asks. @throws ProxyRefusal 400 `body_invalid`, `body_ambiguous`. */
function oneModel(body: JsonObject): string {
  const model = decisiveMember(body, 'model')
  // Where to go when that model fails would be a second model, judged by nobody.
  if (fallbacks.some((name) => decisiveMember(body, name) !== undefined))
    throw new ProxyRefusal('body_ambiguous')
  if (typeof model !== 'string') throw new ProxyRefusal('body_invalid')
  return model
}

/**
 * The repository that `repos/create` and `repos/delete` are about. Without a type it is a model, and without
 * an organisation it sits under the caller's own name, as on the Hub.
 *
 * @throws ProxyRefusal 400 `body_invalid` when there is no one repository that it names.
 */
export function namedRepository(body: JsonObject, principal: Principal): NamedResource {
  const type = decisiveMember(body, 'type') ?? 'model'
  const name = decisiveMember(body, 'name')
  // Only a Hugging Face name is an owner there.
  const own = principal.huggingface ? principal.username : undefined
  const owner = decisiveMember(body, 'organization') ?? own
  if (!isName(owner) || !isName(name)) throw new ProxyRefusal('body_invalid')
  return { type: repositoryType(type), id: `${owner}/${name}`, attributes: {} }
}

/**
 * Both ends of a move: what leaves one name is made under the other.
 *
 * @throws ProxyRefusal 400 `body_invalid`.
 */
export function movedRepository(body: JsonObject): AskedQuestion[] {
  const type = repositoryType(decisiveMember(body, 'type') ?? 'model')
  const from = fullName(decisiveMember(body, 'fromRepo'))
  const to = fullName(decisiveMember(body, 'toRepo'))
  return [
    { action: 'manage', resource: { type, id: from, attributes: {} } },
    { action: 'create', resource: { type, id: to, attributes: {} } },
  ]
}

/** Where a copy goes. @throws ProxyRefusal 400 `body_invalid`. */
export function copiedTo(body: JsonObject, source: NamedResource): NamedResource {
  return { type: source.type, id: fullName(decisiveMember(body, 'repository')), attributes: {} }
}

/** The collection to make has no name yet; its owner has. @throws ProxyRefusal 400 `body_invalid`. */
export function madeCollection(body: JsonObject): NamedResource {
  const owner = decisiveMember(body, 'namespace')
  if (!isName(owner)) throw new ProxyRefusal('body_invalid')
  return { type: 'collection', id: owner, attributes: {} }
}

/** The endpoint to make, by its name. @throws ProxyRefusal 400 `body_invalid`. */
export function madeEndpoint(body: JsonObject, owner: string): NamedResource {
  const name = decisiveMember(body, 'name')
  if (!isName(name)) throw new ProxyRefusal('body_invalid')
  return { type: 'endpoint', id: `${owner}/${name}`, attributes: {} }
}

/** The model that an endpoint is to run: it is loaded there, so it is read. @throws ProxyRefusal 400 `body_invalid`. */
export function loadedModel(body: JsonObject): AskedQuestion[] {
  const model = decisiveMember(body, 'model')
  if (model === undefined) return []
  if (typeof model !== 'object' || model === null || Array.isArray(model))
    throw new ProxyRefusal('body_invalid')
  const id = fullName(decisiveMember(model as JsonObject, 'repository'))
  const revision = decisiveMember(model as JsonObject, 'revision')
  const attributes = typeof revision === 'string' ? { revision } : {}
  return [{ action: 'read', resource: { type: 'model', id, attributes } }]
}

/** Refuses a model in the body that is not the one in the path. @throws ProxyRefusal 400 `body_ambiguous`. */
export function assertSameModel(body: JsonObject, { id }: NamedResource): void {
  const named = decisiveMember(body, 'model')
  if (named === undefined) return
  if (typeof named !== 'string' || named.toLowerCase() !== id.toLowerCase()) {
    throw new ProxyRefusal('body_ambiguous')
  }
}

/**
 * What a Git LFS batch does. An upload is for the branch that it names: it becomes part of one only by a commit or a
 * push, which is judged by itself. A download has no revision that could be believed: the files that it names can
 * be of any.
 *
 * @throws ProxyRefusal 400 `body_invalid`.
 */
export function lfsQuestion(body: JsonObject, repository: NamedResource): AskedQuestion {
  const operation = decisiveMember(body, 'operation')
  if (operation !== 'download' && operation !== 'upload') throw new ProxyRefusal('body_invalid')
  if (operation === 'download') return { action: 'read', resource: repository }
  return { action: 'write', resource: { ...repository, attributes: namedRef(body) } }
}

/**
 * A lock of a file, or its end: whoever holds it keeps others from writing that file to that branch. Of an unlocking
 * only the lock is named, and so the path is unknown.
 *
 * @throws ProxyRefusal 400 `body_invalid`.
 */
export function lockQuestion(body: JsonObject, repository: NamedResource): AskedQuestion {
  const path = decisiveMember(body, 'path')
  if (path !== undefined && (typeof path !== 'string' || !plainPath.test(path)))
    throw new ProxyRefusal('body_invalid')
  const attributes = { ...namedRef(body), ...(path === undefined ? {} : { path }) }
  return { action: 'write', resource: { ...repository, attributes } }
}

/** A path inside a repository that has one reading: no empty, `.` or `..` segment, no backslash and no control. */
const plainPath = /^(?!\/)(?!(?:.*\/)?\.{0,2}(?:\/|$))[^\\\p{Cc}]+$/u

/** The branch that a request of Git LFS names; none before the first commit. */
function namedRef(body: JsonObject): { readonly revision?: string } {
  const ref = decisiveMember(body, 'ref')
  const name =
    typeof ref === 'object' && ref !== null && !Array.isArray(ref) ? (ref as JsonObject).name : undefined
  const revision = typeof name === 'string' ? name.replace(/^refs\/heads\//, '') : ''
  return revision === '' ? {} : { revision }
}

function repositoryType(type: unknown): string {
  if (type === 'model' || type === 'dataset' || type === 'space' || type === 'kernel') return type
  throw new ProxyRefusal('body_invalid')
}

function fullName(value: unknown): string {
  if (typeof value === 'string' && modelId.test(value)) return value
  throw new ProxyRefusal('body_invalid')
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && repositoryName.test(value)
}
