/**
 * Policies in YAML, and in JSON, which YAML 1.2 contains. The only file that knows the YAML library.
 *
 * @module
 */
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import type { JsonPath } from './json.ts'
import { type FaultCode, PolicyError, type PolicyFault } from './policy/faults.ts'
import {
  checkPolicy,
  defaultMaxPolicyLength,
  type ParsePolicyOptions,
  type PolicySource,
} from './policy/parse.ts'
import type { Policy } from './policy/policy.ts'
import type { Json } from './types.ts'

/**
 * Reads and checks a policy from YAML or JSON text.
 *
 * Aliases are bounded and duplicate keys refused, so the file means what it looks like.
 *
 * @throws PolicyError `HFAUTH_POLICY_INVALID` with every fault, each with its code, line and column.
 * @see YAML 1.2.2, core schema
 */
export function parsePolicy(text: string, options: ParsePolicyOptions = {}): Policy {
  return checkPolicy(readYaml(text, options), options)
}

/** How often aliases may be followed, all in all: a file of anchors must not grow beyond what was written. */
const maxAliases = 100

function readYaml(text: string, options: ParsePolicyOptions): PolicySource {
  const file = options.file === undefined ? {} : { file: options.file }
  const maxLength = options.maxLength ?? defaultMaxPolicyLength
  if (text.length > maxLength) {
    const message = `policy is longer than ${maxLength} characters`
    throw new PolicyError([{ code: 'too_large', path: '', message, line: 1, column: 1, ...file }])
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    // Keys are looked at below: as the texts they become, and not each against all others.
    uniqueKeys: false,
    prettyErrors: false,
    strict: true,
    // What it has to say stands in `errors`; its warnings would print parts of the policy.
    logLevel: 'error',
  })
  const locationAt = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const faults: PolicyFault[] = document.errors.map((error) => ({
    code: 'syntax',
    path: '',
    message: firstLine(error.message),
    ...locationAt(error.pos[0]),
    ...file,
  }))
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>()
      for (const { key } of map.items) {
        const fault = (code: FaultCode, message: string) => {
          const at = isNode(key) ? (key.range?.[0] ?? 0) : 0
          faults.push({ code, path: '', message, ...locationAt(at), ...file })
        }
        const text = keyText(key)
        if (text === undefined) fault('syntax', 'a key is a text, no list, no mapping and no alias')
        else if (text === '__proto__') fault('unknown_key', 'unsafe key `__proto__`')
        else if (seen.has(text)) fault('duplicate_key', `duplicate key \`${text}\``)
        if (text !== undefined) seen.add(text)
      }
    },
  })
  if (faults.length > 0) throw new PolicyError(faults)

  let value: Json
  try {
    value = document.toJS({ maxAliasCount: maxAliases })
  } catch (error) {
    const message = error instanceof Error ? firstLine(error.message) : 'the text has no value'
    throw new PolicyError([{ code: 'syntax', path: '', message, line: 1, column: 1, ...file }])
  }
  return {
    value,
    faults: [],
    locate(path) {
      const offset = offsetOf(document.contents, path, (node) => node.resolve(document))
      return offset === undefined ? undefined : locationAt(offset)
    },
  }
}

/** Offset of the key (for a member of a mapping) or of the value at `path`. */
function offsetOf(
  contents: unknown,
  path: JsonPath,
  resolve: (alias: Extract<Node, { source: string }> & Parameters<typeof isAlias>[0]) => unknown,
): number | undefined {
  let node = contents
  let offset = isNode(node) ? node.range?.[0] : undefined
  for (const step of path) {
    if (isAlias(node)) node = resolve(node as never)
    if (isMap(node)) {
      const pair = pairsOf(node).get(String(step))
      if (pair === undefined) return undefined
      offset = isNode(pair.key) ? pair.key.range?.[0] : undefined
      node = pair.value
    } else if (isNode(node) && 'get' in node && typeof node.get === 'function') {
      node = node.get(step, true)
      if (!isNode(node)) return undefined
      offset = node.range?.[0]
    } else {
      return undefined
    }
  }
  return offset
}

const knownPairs = new WeakMap<YAMLMap, ReadonlyMap<string | undefined, Pair>>()

/** By the text of the key, made once for each mapping: a place is looked up for every statement and binding. */
function pairsOf(map: YAMLMap): ReadonlyMap<string | undefined, Pair> {
  const known = knownPairs.get(map)
  if (known !== undefined) return known
  const pairs = new Map(map.items.map((pair) => [keyText(pair.key), pair]))
  knownPairs.set(map, pairs)
  return pairs
}

/** The text that a key becomes: `1` and `"1"` are one. */
function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined
  return key.value === null ? '' : String(key.value)
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text
}
