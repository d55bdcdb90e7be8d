/**
 * Recorded fields: copies of an entry exactly what an event may have.
 *
 * caller → **recorded fields** → log. An allow-list, core's shape of an event: what is not named there is dropped,
 * so that a token that somebody hung on an object by mistake has nowhere to go. Texts are cut and cleaned.
 *
 * @module
 */
import { type AuditField, type AuditObject, auditEventShape, recordedText } from '@hfauth/core'
import { maskTokens } from '../internal/mask-tokens.ts'
import type { AuditEntry } from './types.ts'

/** The members of `entry` that go on record; those of another type than they should be are left out. */
export function recordedFields(entry: AuditEntry): AuditEntry {
  return readEntry(entry) as AuditEntry
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

type Reader = (value: unknown) => unknown

/** Members that the log itself gives. */
const given: ReadonlySet<string> = new Set(['v', 'id', 'time', 'environment', 'service', 'writer', 'seq'])

const readEntry = readerOf({
  ...auditEventShape,
  members: Object.fromEntries(Object.entries(auditEventShape.members).filter(([name]) => !given.has(name))),
})

function readerOf(field: AuditField): Reader {
  switch (field.kind) {
    case 'text': {
      const { maxLength } = field
      return (value) => (typeof value === 'string' ? recordableText(value, maxLength) : undefined)
    }
    case 'texts': {
      const { maxItems, maxLength } = field
      return (value) => {
        if (!Array.isArray(value)) return undefined
        const texts: string[] = []
        for (const item of value.slice(0, maxItems)) {
          if (typeof item === 'string') texts.push(recordableText(item, maxLength))
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
      return objectReader(field)
  }
}

function objectReader({ members }: AuditObject): Reader {
  const readers = Object.entries(members).map(([name, field]) => ({ name, read: readerOf(field) }))
  return (value) => {
    if (typeof value !== 'object' || value === null) return undefined
    const copy: Record<string, unknown> = {}
    for (const { name, read } of readers) {
      const member = Object.hasOwn(value, name) ? read((value as Record<string, unknown>)[name]) : undefined
      if (member !== undefined) copy[name] = member
    }
    return Object.freeze(copy)
  }
}
