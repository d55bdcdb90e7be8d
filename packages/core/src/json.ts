/**
 * Strict JSON: reads a text once, and refuses whatever two readers could read differently.
 *
 * Stands before `parse`, before a snapshot is loaded and before a proxied body is judged. Duplicate
 * keys, keys that touch prototypes, lone surrogates, trailing text and unbounded nesting are errors
 * (RFC 8259 leaves the first two to the reader, which is how checks get bypassed).
 *
 * @module
 */
import { HfAuthError } from './errors.ts'
import type { Json } from './types.ts'

export interface ParseJsonOptions {
  /** Longest text, in UTF-16 code units. Default 1 MiB. */
  readonly maxLength?: number
  /** Deepest nesting of arrays and objects. Default 64. */
  readonly maxDepth?: number
  /** Most values in the whole text, members and elements counted. Default 100,000. */
  readonly maxValues?: number
}

/** A path into a JSON value: keys of objects and indices of arrays. */
export type JsonPath = readonly (string | number)[]

export interface LocatedJson {
  readonly value: Json
  /** Offset of the key (for a member) or of the value at `path`; `undefined` when there is none. */
  offsetOf(path: JsonPath): number | undefined
}

export class JsonError extends HfAuthError {
  /** Where reading stopped, in UTF-16 code units from the start of the text. */
  readonly offset: number

  constructor(message: string, offset: number) {
    super('HFAUTH_JSON_INVALID', message)
    this.offset = offset
  }
}

/**
 * Reads one JSON value.
 *
 * @throws JsonError `HFAUTH_JSON_INVALID` for anything but exactly one strict, bounded JSON value.
 * @see RFC 8259 §4 (names should be unique), RFC 8725 §2.4 and its revision (duplicate members)
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): Json {
  return new Reader(text, options).read().value
}

/** As {@link parseJson}, and remembers where every value stands. */
export function parseLocatedJson(text: string, options: ParseJsonOptions = {}): LocatedJson {
  return new Reader(text, options).read()
}

const unsafeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const loneSurrogate = /\p{Surrogate}/u

class Reader {
  private at = 0
  private values = 0
  private readonly offsets = new WeakMap<object, Map<string | number, number>>()
  private readonly text: string
  private readonly maxDepth: number
  private readonly maxValues: number

  constructor(text: string, options: ParseJsonOptions) {
    const maxLength = options.maxLength ?? 1_048_576
    if (text.length > maxLength) throw new JsonError(`text is longer than ${maxLength} characters`, maxLength)
    this.text = text
    this.maxDepth = options.maxDepth ?? 64
    this.maxValues = options.maxValues ?? 100_000
  }

  read(): LocatedJson {
    this.skipSpace()
    const start = this.at
    const value = this.value(0)
    this.skipSpace()
    if (this.at < this.text.length) throw this.fault('text after the end of the value')
    const offsets = this.offsets
    return {
      value,
      offsetOf(path) {
        let node: unknown = value
        let offset: number | undefined = start
        for (const step of path) {
          if (typeof node !== 'object' || node === null) return undefined
          offset = offsets.get(node)?.get(step)
          if (offset === undefined) return undefined
          node = (node as Record<string | number, unknown>)[step]
        }
        return offset
      },
    }
  }

  private value(depth: number): Json {
    if (++this.values > this.maxValues) throw this.fault(`more than ${this.maxValues} values`)
    const char = this.text[this.at]
    if (char === '{') return this.object(depth + 1)
    if (char === '[') return this.array(depth + 1)
    if (char === '"') return this.string()
    if (char === '-' || (char !== undefined && char >= '0' && char <= '9')) return this.number()
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length
        return value
      }
    }
    throw this.fault('expected a JSON value')
  }

  private object(depth: number): Json {
    this.enter(depth)
    const result: Record<string, Json> = {}
    const offsets = new Map<string, number>()
    this.offsets.set(result, offsets)
    if (this.take('}')) return result
    do {
      this.skipSpace()
      const start = this.at
      if (this.text[start] !== '"') throw this.fault('expected a key in double quotes')
      const key = this.string()
      if (offsets.has(key)) throw new JsonError(`duplicate key \`${key}\``, start)
      if (unsafeKeys.has(key)) throw new JsonError(`unsafe key \`${key}\``, start)
      offsets.set(key, start)
      if (!this.take(':')) throw this.fault('expected `:`')
      this.skipSpace()
      result[key] = this.value(depth)
    } while (this.take(','))
    if (!this.take('}')) throw this.fault('expected `,` or `}`')
    return result
  }

  private array(depth: number): Json {
    this.enter(depth)
    const result: Json[] = []
    const offsets = new Map<number, number>()
    this.offsets.set(result, offsets)
    if (this.take(']')) return result
    do {
      this.skipSpace()
      offsets.set(result.length, this.at)
      result.push(this.value(depth))
    } while (this.take(','))
    if (!this.take(']')) throw this.fault('expected `,` or `]`')
    return result
  }

  private string(): string {
    const start = this.at
    let escaped = false
    for (let at = start + 1; at < this.text.length; at++) {
      const code = this.text.charCodeAt(at)
      if (code < 0x20) throw new JsonError('control character in a string', at)
      if (code === 0x5c) {
        escaped = true
        at++
      } else if (code === 0x22) {
        this.at = at + 1
        return this.unescape(start, escaped)
      }
    }
    throw this.fault('string without an end')
  }

  private unescape(start: number, escaped: boolean): string {
    let string: string
    try {
      string = escaped ? JSON.parse(this.text.slice(start, this.at)) : this.text.slice(start + 1, this.at - 1)
    } catch {
      throw new JsonError('unknown escape in a string', start)
    }
    if (loneSurrogate.test(string)) throw new JsonError('half of a surrogate pair in a string', start)
    return string
  }

  private number(): number {
    numberToken.lastIndex = this.at
    const token = numberToken.exec(this.text)?.[0]
    if (token === undefined) throw this.fault('expected a number')
    const value = Number(token)
    if (!Number.isFinite(value)) throw this.fault('number beyond what JSON readers agree on')
    this.at += token.length
    return value
  }

  private enter(depth: number): void {
    if (depth > this.maxDepth) throw this.fault(`nested deeper than ${this.maxDepth} levels`)
    this.at++
  }

  private take(char: string): boolean {
    this.skipSpace()
    if (this.text[this.at] !== char) return false
    this.at++
    return true
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.at++
    }
  }

  private fault(message: string): JsonError {
    return new JsonError(message, this.at)
  }
}
