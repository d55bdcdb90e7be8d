/**
 * JSON objects from outside: read strictly, within bounds, or not at all.
 *
 * @module
 */
import type { Claims } from '@hfauth/core'
import { type ParseJsonOptions, parseJson } from '@hfauth/core/json'

/** The object in `text`, or `undefined` for anything else; why is not told, because a fault may quote the text. */
export function parseJsonObject(text: string, options?: ParseJsonOptions): Claims | undefined {
  try {
    const value = parseJson(text, options)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
