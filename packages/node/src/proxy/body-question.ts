/**
 * Body question: the resource that a JSON body names, for routes whose path does not.
 *
 * JSON body → **body question** → decide.
 *
 * @module
 */
import type { HubAction, Principal } from '@hfauth/core'
import { decisiveMember, type JsonObject } from './json-body.ts'
import { ProxyRefusal } from './proxy-refusal.ts'

export interface NamedResource {
  readonly type: string
  readonly id: string
  readonly attributes: { readonly revision?: string; readonly path?: string; readonly provider?: string }
}

const word = '[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}'
const modelName = new RegExp(`^(${word}/${word})(?::([a-z0-9][a-z0-9-]{0,31}))?$`)
const repositoryName = new RegExp(`^${word}$`)

/** Not providers but ways to choose one: which it will be, nobody knows beforehand. */
const choices: ReadonlySet<string> = new Set(['fastest', 'cheapest', 'preferred'])

/**
 * The model of an inference call: `org/name`, or `org/name:provider`.
 *
 * @throws ProxyRefusal 400 `body_invalid` for any other shape.
 */
export function inferenceModel(body: JsonObject): NamedResource {
  const model = decisiveMember(body, 'model')
  const [, id, suffix] = (typeof model === 'string' && modelName.exec(model)) || []
  if (id === undefined) throw new ProxyRefusal('body_invalid')
  const provider = suffix === undefined || choices.has(suffix) ? undefined : suffix
  return { type: 'model', id, attributes: provider === undefined ? {} : { provider } }
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
  const isKnown = type === 'model' || type === 'dataset' || type === 'space' || type === 'kernel'
  if (!isKnown || !isName(owner) || !isName(name)) throw new ProxyRefusal('body_invalid')
  return { type, id: `${owner}/${name}`, attributes: {} }
}

/** What a Git LFS batch does. @throws ProxyRefusal 400 `body_invalid`. */
export function lfsAction(body: JsonObject): HubAction {
  const operation = decisiveMember(body, 'operation')
  if (operation === 'download') return 'read'
  if (operation === 'upload') return 'write'
  throw new ProxyRefusal('body_invalid')
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && repositoryName.test(value)
}
