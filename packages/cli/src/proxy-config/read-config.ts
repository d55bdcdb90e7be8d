/**
 * Read config: YAML or JSON text → a configuration, or every fault in it with its line and column.
 *
 * The only file that knows the libraries for YAML and JSON Schema.
 *
 * @see YAML 1.2.2; JSON Schema draft 07
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { Ajv, type ErrorObject } from 'ajv'
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import type { ProxyConfig } from './config.ts'
import { proxyConfigSchema } from './schema.ts'

const maxConfigLength = 256 * 1024

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID`, with a line `FILE:LINE:COLUMN what` for every fault. */
export function readProxyConfig(text: string, file: string): ProxyConfig {
  if (text.length > maxConfigLength) throw faulty([`${file}:1:1 the file is too long`])
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'error',
  })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`
  }
  if (document.errors.length > 0) {
    throw faulty(document.errors.map(({ message, pos }) => `${at(pos[0])} ${message.split('\n', 1)[0]}`))
  }
  const value: unknown = document.toJS({ maxAliasCount: 0 })
  const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true }).compile(
    proxyConfigSchema,
  )
  if (validate(value)) return value as ProxyConfig
  // What one of several shapes lacks says little; that it is none of them says all.
  const errors = (validate.errors ?? []).filter(({ schemaPath }) => !schemaPath.includes('/anyOf/'))
  const faults = errors.map((error) => ({ error, offset: offsetOf(document, error) }))
  faults.sort((one, other) => one.offset - other.offset)
  throw faulty(faults.map(({ error, offset }) => `${at(offset)} ${describe(error)}`))
}

function faulty(lines: readonly string[]): HfAuthError {
  const count = `the configuration has ${lines.length} fault${lines.length === 1 ? '' : 's'}`
  return new HfAuthError('HFAUTH_CONFIG_INVALID', `${count}\n${lines.join('\n')}`)
}

/** Names keys and what was expected, never a value: somebody may have written a secret there. */
function describe({
  instancePath,
  keyword,
  params,
  parentSchema,
  message = 'is wrong',
}: ErrorObject): string {
  const name = instancePath.slice(1).replaceAll('/', '.') || 'the file'
  if (keyword === 'anyOf') return `\`${name}\` ${parentSchema?.description}`
  if (keyword === 'additionalProperties') return `unknown key \`${params.additionalProperty}\``
  if (keyword === 'required') return `missing key \`${params.missingProperty}\``
  if (keyword === 'enum') return `\`${name}\` must be ${params.allowedValues.join(' or ')}`
  return `\`${name}\` ${message}`
}

/** Where the key stands that a fault is about. */
function offsetOf(document: Document, { instancePath, keyword, params }: ErrorObject): number {
  const path = instancePath.split('/').slice(1)
  if (keyword === 'additionalProperties') path.push(String(params.additionalProperty))
  let node: unknown = document.contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step)
      if (pair === undefined) return offset
      offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset
      node = pair.value
    } else if (isNode(node) && 'get' in node && typeof node.get === 'function') {
      node = node.get(Number(step), true)
      offset = isNode(node) ? (node.range?.[0] ?? offset) : offset
    }
  }
  return offset
}
