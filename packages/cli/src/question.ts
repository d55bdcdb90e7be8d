/**
 * The question that a command is asked: an action, a resource, and what is told of both.
 *
 * @module
 */
import type { Claims, Resource } from '@hfauth/core'
import { parseJson } from '@hfauth/core/json'
import { UsageError } from './command.ts'

export const questionOptions = {
  environment: { type: 'string' },
  attributes: { type: 'string', default: '{}' },
  context: { type: 'string', default: '{}' },
} as const

export interface AskedQuestion {
  readonly environment: string
  readonly action: string
  readonly resource: Resource
  readonly context: Claims
}

/** @throws UsageError when a part is missing or no JSON object. */
export function readQuestion(
  positionals: readonly string[],
  values: {
    readonly environment?: string | undefined
    readonly attributes: string
    readonly context: string
  },
): AskedQuestion {
  const [action = '', resource = ''] = (positionals[0] ?? '').split(' ')
  const colon = resource.indexOf(':')
  if (values.environment === undefined) throw new UsageError('`--environment` is missing')
  if (action === '' || colon < 1)
    throw new UsageError("the question is missing, as in 'read model:acme/vision-large'")
  return {
    environment: values.environment,
    action,
    resource: {
      type: resource.slice(0, colon),
      id: resource.slice(colon + 1),
      attributes: readMapping('attributes', values.attributes),
    },
    context: readMapping('context', values.context),
  }
}

export function readMapping(option: string, text: string): Claims {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`\`--${option}\` takes a JSON object`)
  }
  return value as Claims
}
