/**
 * Patterns: which resources a statement is about.
 *
 * `type:glob`, `**` for every resource, `project:name` for a named set. Placeholders such as
 * `${principal.username}` stay apart from the glob until a principal fills them in, as literal text.
 *
 * @module
 */
import { composed } from '../hub/ids.ts'

/** A piece of pattern text, or the dotted path of a placeholder such as `principal.username`. */
export type PatternPiece = { readonly text: string } | { readonly placeholder: string }

export interface Pattern {
  /** A resource type, or `**` for all of them. */
  readonly type: string
  readonly pieces: readonly PatternPiece[]
}

const placeholder = /\$\{([^}]*)\}/
const placeholderPath = /^principal\.(?:username|issuer|id|email|claims\.[^\s{}$*]+)$/
const typeName = /^(?:\*\*|[a-z][a-z0-9-]*)$/
const forbiddenText = /[\u0000-\u0020\u007f%\\?#{}]|\$/

/** Reads a pattern that is not a project; the message says what is wrong with it. */
export function parsePattern(text: string): Pattern | { readonly fault: string } {
  if (text === '**') return { type: '**', pieces: [{ text: '**' }] }
  const colon = text.indexOf(':')
  if (colon < 0) return { fault: `pattern \`${text}\` lacks a type, as in \`model:${text}\`` }
  const type = text.slice(0, colon)
  if (!typeName.test(type)) return { fault: `\`${type}\` is not a resource type` }
  const glob = composed(text.slice(colon + 1))
  if (glob === undefined) return { fault: 'the pattern has more marks on one letter than any id' }
  if (glob === '') return { fault: `pattern \`${text}\` names no resource` }

  const pieces: PatternPiece[] = []
  for (const [i, piece] of glob.split(placeholder).entries()) {
    if (i % 2 === 1) {
      if (!placeholderPath.test(piece))
        return {
          fault: `\`\${${piece}}\` is not a placeholder; a principal's own are \`\${principal.username}\`, \`id\`, \`email\`, \`issuer\` and \`claims.*\``,
        }
      pieces.push({ placeholder: piece })
    } else if (piece !== '') {
      if (forbiddenText.test(piece)) return { fault: `pattern \`${text}\` has a character that no id has` }
      pieces.push({ text: piece })
    }
  }
  const segments = glob.replaceAll(/\$\{[^}]*\}/g, 'x').split('/')
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return { fault: `pattern \`${text}\` has an empty, \`.\` or \`..\` segment, which no id has` }
  }
  return { type, pieces }
}
