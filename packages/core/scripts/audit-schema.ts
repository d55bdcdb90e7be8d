/**
 * The JSON Schema of an audit event, version 1: made from the shape by which events are recorded.
 *
 * @module
 */
import { type AuditField, auditEventShape } from '../src/audit/shape.ts'

type Schema = Record<string, unknown>

/** Builds the schema; the same bytes every time. */
export function auditSchemaText(): string {
  const { properties, required, ...rest } = schemaOf(auditEventShape) as {
    properties: Schema
    required: string[]
  }
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'hfauth audit event',
    ...rest,
    required,
    properties: {
      ...properties,
      v: { const: 1 },
      // Only where it is stored in segments.
      hash: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' },
    },
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

function schemaOf(field: AuditField): Schema {
  switch (field.kind) {
    case 'text':
      return {
        type: 'string',
        maxLength: field.maxLength,
        ...(field.values === undefined ? {} : { enum: field.values }),
        ...(field.pattern === undefined ? {} : { pattern: field.pattern }),
      }
    case 'texts':
      return {
        type: 'array',
        maxItems: field.maxItems,
        items: { type: 'string', maxLength: field.maxLength },
      }
    case 'false':
      return { const: false }
    case 'number':
      return { type: field.isInteger === true ? 'integer' : 'number' }
    case 'object': {
      const members = Object.entries(field.members)
      return {
        type: 'object',
        additionalProperties: false,
        required: members.filter(([, { isOptional }]) => isOptional !== true).map(([name]) => name),
        properties: Object.fromEntries(members.map(([name, member]) => [name, schemaOf(member)])),
      }
    }
  }
}
