/**
 * Answer usage: what a model's answer says of the tokens it used, read as it passes.
 *
 * upstream → **usage** → record, limits. Looks at what passes and holds nothing of it up. What is too long, in another
 * encoding or in no shape that is known says nothing, which is not the same as nothing used.
 *
 * @see OpenAI API: chat completions (`usage`, `stream_options.include_usage`), responses; Anthropic API: messages
 * @module
 */
import type { AuditUsage } from '@hfauth/core'
import { isEventStream } from '../wire/response-headers.ts'

export interface AnswerUsage extends AuditUsage {
  /** Model that the answer names, as `ns/name`. */
  readonly model?: string
}

export interface UsageReader {
  take(chunk: Uint8Array): void
  /** After the last chunk; `undefined` when the answer did not say. */
  end(): AnswerUsage | undefined
}

/** Longest answer in one piece, and longest line of one in events, that are looked at, in bytes. */
const maxJsonBytes = 1024 * 1024
const maxLineBytes = 64 * 1024

/** `undefined` for an answer in which there is nothing to be found. */
export function createUsageReader({
  status,
  headers,
}: {
  readonly status: number
  readonly headers: Pick<Headers, 'get'>
}): UsageReader | undefined {
  if (status !== 200 || (headers.get('content-encoding') ?? 'identity') !== 'identity') return undefined
  if (isEventStream(headers)) return eventsReader()
  return /^application\/json *(?:;|$)/i.test(headers.get('content-type') ?? '') ? jsonReader() : undefined
}

function jsonReader(): UsageReader {
  let chunks: Uint8Array[] = []
  let size = 0
  return {
    take(chunk) {
      size += chunk.length
      if (size <= maxJsonBytes) chunks.push(chunk)
      else chunks = []
    },
    end() {
      if (size > maxJsonBytes) return undefined
      const found = usageIn(Buffer.concat(chunks).toString('utf8'))
      chunks = []
      return found
    },
  }
}

/** Line by line. An event says what has been used up to it, so the highest counts are those of the whole. */
function eventsReader(): UsageReader {
  /** Of the line that has not ended; copied together once, however small the pieces are. */
  let pieces: Uint8Array[] = []
  let size = 0
  let found: AnswerUsage | undefined

  function hold(piece: Uint8Array): void {
    size += piece.length
    if (size <= maxLineBytes) pieces.push(piece)
    else pieces = []
  }

  function endLine(): void {
    if (size <= maxLineBytes) found = highest(found, usageInLine(Buffer.concat(pieces)))
    pieces = []
    size = 0
  }

  return {
    take(chunk) {
      let start = 0
      for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
        hold(chunk.subarray(start, end))
        endLine()
        start = end + 1
      }
      if (start < chunk.length) hold(chunk.subarray(start))
    },
    end() {
      endLine()
      return found
    },
  }
}

function usageInLine(line: Buffer): AnswerUsage | undefined {
  const isData = line.subarray(0, 5).equals(dataField)
  return isData && line.includes('usage') ? usageIn(line.toString('utf8', 5)) : undefined
}

const dataField = Buffer.from('data:')

function usageIn(text: string): AnswerUsage | undefined {
  if (!text.includes('"usage"')) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  // Of the whole answer, of one in events by the responses API, or of the beginning of a message.
  const answer = [value, value.response, value.message].filter(isObject).find(({ usage }) => isObject(usage))
  const { usage, model } = answer ?? {}
  if (!isObject(usage)) return undefined
  const input = countOf(usage.prompt_tokens ?? usage.input_tokens)
  const output = countOf(usage.completion_tokens ?? usage.output_tokens)
  if (input === undefined && output === undefined) return undefined
  return {
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(typeof model === 'string' && modelName.test(model) ? { model } : {}),
  }
}

const modelName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}$/

function highest(a: AnswerUsage | undefined, b: AnswerUsage | undefined): AnswerUsage | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const most = (name: 'input' | 'output') =>
    a[name] === undefined && b[name] === undefined ? {} : { [name]: Math.max(a[name] ?? 0, b[name] ?? 0) }
  return { ...a, ...b, ...most('input'), ...most('output') }
}

function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
