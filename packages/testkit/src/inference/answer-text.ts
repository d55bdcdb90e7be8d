/**
 * Answer text: what the models of the testkit say.
 *
 * **answer text** → inference routes. Depends on the model and the last question only, so
 * the same request always gets the same words.
 *
 * @module
 */

import { createHash } from 'node:crypto'

export interface ChatMessage {
  readonly role: string
  readonly content: string
}

const findings = [
  'the second drawer holds the matching part.',
  'the torque table on page four has the number.',
  'two washers and a lock nut are enough.',
  'the small gear wears first, so order that one.',
]

/** The answer, cut into the pieces in which it is streamed. Joined they are the whole text. */
export function buildAnswer(model: string, messages: readonly ChatMessage[]): string[] {
  const question = messages.findLast(({ role }) => role === 'user')?.content ?? ''
  const digest = createHash('sha256').update(`${model}\n${question}`).digest()
  const finding = findings[(digest[0] ?? 0) % findings.length] ?? ''
  const text = `${model} on "${question}": ${finding}`
  return text.match(/\S+\s*/g) ?? [text]
}

/** Counts words, which stand in for tokens. */
export function countTokens(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}

/** Reads `messages` of a chat request. `undefined` when they are malformed. */
export function parseMessages(value: unknown): ChatMessage[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  const messages: ChatMessage[] = []
  for (const entry of value as unknown[]) {
    if (typeof entry !== 'object' || entry === null) return undefined
    const { role, content } = entry as { role?: unknown; content?: unknown }
    if (typeof role !== 'string') return undefined
    messages.push({ role, content: textOf(content) })
  }
  return messages
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: unknown }) => (typeof part?.text === 'string' ? part.text : '')).join('')
}
