/**
 * AuthZEN entities: who, what and on what, as another policy enforcement point sends them.
 *
 * request → **entities** → evaluate, search. What is missing or of another type is a fault of the request;
 * what is unknown is ignored.
 *
 * @see OpenID AuthZEN Authorization API 1.0 §5 (information model)
 * @module
 */
import type { Json } from '@hfauth/core'
import { isJsonObject } from '../internal/json-object.ts'

export type Properties = { readonly [name: string]: Json }

/** A subject or a resource. */
export interface Entity {
  readonly type: string
  readonly id: string
  readonly properties: Properties
}

export interface Action {
  readonly name: string
  readonly properties: Properties
}

/** Thrown for a request that is not one of the API; never leaves the handler. */
export class RequestFault extends Error {
  readonly status: 400 | 408 | 413

  constructor(message: string, status: 400 | 408 | 413 = 400) {
    super(message)
    this.name = new.target.name
    this.status = status
  }
}

export function readEntity(body: Properties, name: 'subject' | 'resource'): Entity {
  const value = memberOf(body, name)
  return {
    type: textOf(value, 'type', name),
    id: textOf(value, 'id', name),
    properties: propertiesOf(value, name),
  }
}

/** As {@link readEntity}, for a search: what it is looking for has no id, and one that is sent is ignored. */
export function readKind(body: Properties, name: 'subject' | 'resource'): string {
  return textOf(memberOf(body, name), 'type', name)
}

export function readAction(body: Properties): Action {
  const value = memberOf(body, 'action')
  return { name: textOf(value, 'name', 'action'), properties: propertiesOf(value, 'action') }
}

export function readContext(body: Properties): Properties {
  return Object.hasOwn(body, 'context') ? memberOf(body, 'context') : {}
}

export function memberOf(body: Properties, name: string): Properties {
  const value = Object.hasOwn(body, name) ? body[name] : undefined
  if (isJsonObject(value)) return value
  throw new RequestFault(`\`${name}\` must be an object`)
}

function textOf(value: Properties, member: string, of: string): string {
  const text = Object.hasOwn(value, member) ? value[member] : undefined
  if (typeof text === 'string' && text !== '') return text
  throw new RequestFault(`\`${of}.${member}\` must be a text`)
}

function propertiesOf(value: Properties, of: string): Properties {
  if (!Object.hasOwn(value, 'properties')) return {}
  if (isJsonObject(value.properties)) return value.properties
  throw new RequestFault(`\`${of}.properties\` must be an object`)
}
