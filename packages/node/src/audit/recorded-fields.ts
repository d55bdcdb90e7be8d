/**
 * Recorded fields: copies of an entry exactly what an event may have.
 *
 * caller → **recorded fields** → log. An allow-list, core's shape of an event: what is not named there is dropped,
 * so that a token that somebody hung on an object by mistake has nowhere to go. Texts are cut and cleaned.
 *
 * @module
 */
import {
  type AuditEvent,
  type AuditField,
  type AuditObject,
  auditEventShape,
  recordedText,
} from '@hfauth/core'
import { maskTokens } from '../internal/mask-tokens.ts'
import type { AuditEntry } from './types.ts'

/** The members of `entry` that go on record; those of another type than they should be are left out. */
export function recordedFields(entry: AuditEntry): AuditEntry & Pick<AuditEvent, 'cut'> {
  const cut = new Set<string>()
  const fields = readEntry(entry, cut) as AuditEntry
  return cut.size === 0 ? fields : { ...fields, cut: Object.freeze([...cut]) }
}

/** Text fit for a record: cut to `maxLength` characters, without controls, halves of characters or tokens. */
export function recordableText(text: string, maxLength = 256): string {
  // Nearly all are like this, and the look through them is what a record costs most.
  if (text.length <= maxLength && plainText.test(text) && !perhapsToken.test(text)) return text
  return recordedText(maskTokens(text.slice(0, 4 * maxLength + 16_384)), maxLength).replaceAll(
    /\p{Surrogate}/gu,
    '\ufffd',
  )
}

const plainText = /^[ -~]*$/
/** What every shape of a token that is masked has in it. */
const perhapsToken = /hf_|eyJ|api_org_|oauth_app_|gh[a-z]_|github_|ya29|xox/

/** Copies a value; names in `cut` what was longer than there is room for. */
type Reader = (value: unknown, cut: Set<string>) => unknown

/** Members that the log itself gives. */
const given: ReadonlySet<string> = new Set([
  'v',
  'id',
  'time',
  'environment',
  'service',
  'writer',
  'seq',
  'cut',
])

const members = Object.entries(auditEventShape.members).filter(([name]) => !given.has(name))
const readEntry = objectReader({ ...auditEventShape, members: Object.fromEntries(members) }, '')

function readerOf(field: AuditField, path: string): Reader {
  switch (field.kind) {
    case 'text': {
      const { maxLength } = field
      return (value, cut) => {
        if (typeof value !== 'string') return undefined
        if (value.length > maxLength) cut.add(path)
        return recordableText(value, maxLength)
      }
    }
    case 'texts': {
      const { maxItems, maxLength } = field
      return (value, cut) => {
        if (!Array.isArray(value)) return undefined
        if (value.length > maxItems) cut.add(path)
        const texts: string[] = []
        for (const item of value.slice(0, maxItems)) {
          if (typeof item !== 'string') continue
          if (item.length > maxLength) cut.add(path)
          texts.push(recordableText(item, maxLength))
        }
        return Object.freeze(texts)
      }
    }
    case 'number':
      return field.isInteger === true
        ? (value) => (Number.isFinite(value) ? Math.round(value as number) : undefined)
        : (value) => (Number.isFinite(value) ? value : undefined)
    case 'false':
      return (value) => (value === false ? value : undefined)
    case 'object':
      return objectReader(field, `${path}.`)
  }
}

/** @param prefix - Of the names by which members are told that were cut. */
function objectReader({ members }: AuditObject, prefix: string): Reader {
  const readers = Object.entries(members).map(([name, field]) => ({
    name,
    read: readerOf(field, prefix + name),
  }))
  return (value, cut) => {
    if (typeof value !== 'object' || value === null) return undefined
    const copy: Record<string, unknown> = {}
    for (const { name, read } of readers) {
      if (!Object.hasOwn(value, name)) continue
      const member = read((value as Record<string, unknown>)[name], cut)
      if (member !== undefined) copy[name] = member
    }
    return Object.freeze(copy)
  }
}
