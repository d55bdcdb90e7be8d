/**
 * JSON objects from outside: read strictly, within bounds, or not at all.
 *
 * @module
 */
import type { Claims } from '@hfauth/core'
import { type ParseJsonOptions, parseJson } from '@hfauth/core/json'
import { decodeUtf8 } from './request.ts'

/** The object in `text`, or `undefined` for anything else; why is not told, because a fault may quote the text. */
export function parseJsonObject(text: string, options: ParseJsonOptions = {}): Claims | undefined {
  return objectIn(text, countQuotes(text), options)
}

/** As {@link parseJsonObject}, of UTF-8. Marks are counted in bytes, which takes half as long as in a text. */
export function parseJsonObjectBytes(bytes: Uint8Array, options: ParseJsonOptions): Claims | undefined {
  const text = decodeUtf8(bytes)
  return text === undefined ? undefined : objectIn(text, countQuoteBytes(bytes), options)
}

function objectIn(text: string, quotes: number, options: ParseJsonOptions): Claims | undefined {
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
  const isList = Array.isArray(value)
  if (!isList && touchesPrototypes(value)) return Number.NaN
  const members: readonly unknown[] = isList ? value : Object.values(value)
  let texts = isList ? 0 : members.length
  // Most are texts, and a call for each would take longer than all the rest.
  for (const member of members) texts += typeof member === 'string' ? 1 : countTexts(member, maxDepth - 1)
  return texts
}

function touchesPrototypes(value: object): boolean {
  return (
    Object.hasOwn(value, '__proto__') ||
    Object.hasOwn(value, 'constructor') ||
    Object.hasOwn(value, 'prototype')
  )
}

function countQuotes(text: string): number {
  let quotes = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes++
  return quotes
}

/** No part of another character in UTF-8 looks like one. */
function countQuoteBytes(bytes: Uint8Array): number {
  let quotes = 0
  let at = 0
  // Four by four, which takes half as long as one by one.
  for (const last = bytes.length - 4; at <= last; at += 4) {
    if (bytes[at] === 0x22) quotes++
    if (bytes[at + 1] === 0x22) quotes++
    if (bytes[at + 2] === 0x22) quotes++
    if (bytes[at + 3] === 0x22) quotes++
  }
  for (; at < bytes.length; at++) if (bytes[at] === 0x22) quotes++
  return quotes
}
