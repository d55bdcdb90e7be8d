/**
 * JSON objects from outside: read strictly, within bounds, or not at all.
 *
 * @module
 */
import type { Claims } from '@hfauth/core'
import { type ParseJsonOptions, parseJson } from '@hfauth/core/json'

/** The object in `text`, or `undefined` for anything else; why is not told, because a fault may quote the text. */
export function parseJsonObject(text: string, options: ParseJsonOptions = {}): Claims | undefined {
  return objectIn(text, countQuotes(text), options)
}

/** As {@link parseJsonObject}, for who knows how many `"` are in `text`. */
export function objectIn(text: string, quotes: number, options: ParseJsonOptions): Claims | undefined {
  try {
    const value = parsePlainJson(text, quotes, options) ?? parseJson(text, options)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The platform's reader, three times as fast, for texts that it cannot read otherwise than the strict one
 * does. Without escapes each text and each name stands between two quotes, and there are no others. Where
 * its value is made of fewer, a member was there twice and the first is lost.
 *
 * @param quotes - How many `"` are in `text`.
 * @returns `undefined` when the strict reader has to judge.
 */
export function parsePlainJson(text: string, quotes: number, options: ParseJsonOptions): unknown {
  const { maxLength = 1_048_576, maxDepth = 64, maxValues = 100_000 } = options
  // Each value but the last is followed by a mark of its own.
  if (text.length > maxLength || text.length > 2 * maxValues) return undefined
  if (text.includes('\\') || halfOfAPair.test(text)) return undefined
  const value: unknown = JSON.parse(text)
  return 2 * countTexts(value, maxDepth) === quotes ? value : undefined
}

const halfOfAPair = /\p{Surrogate}/u

/**
 * Texts in `value`, names among them. Not a number when something in it is not for this reader: nested too
 * deep, a number beyond bounds, or a name that touches prototypes.
 */
function countTexts(value: unknown, maxDepth: number): number {
  if (typeof value === 'string') return 1
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN
  if (typeof value !== 'object' || value === null) return 0
  if (maxDepth === 0) return Number.NaN
  let texts = 0
  // Most members are texts, and a call for each would take longer than all the rest.
  if (Array.isArray(value)) {
    for (const item of value) texts += typeof item === 'string' ? 1 : countTexts(item, maxDepth - 1)
    return texts
  }
  for (const name in value) {
    // What a prototype lends to every object was not in the text.
    if (!Object.hasOwn(value, name)) return Number.NaN
    if (name === '__proto__' || name === 'constructor' || name === 'prototype') return Number.NaN
    const member: unknown = (value as Claims)[name]
    texts += typeof member === 'string' ? 2 : 1 + countTexts(member, maxDepth - 1)
  }
  return texts
}

function countQuotes(text: string): number {
  let quotes = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes++
  return quotes
}
