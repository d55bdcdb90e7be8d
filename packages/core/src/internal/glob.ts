/**
 * Globs: `*` is any run of characters without `/`, `**` any run at all, nothing else is special.
 *
 * Matching keeps one point to come back to for each of the two wildcards, so it takes at most
 * pattern × text steps; no regular expression is ever built from a policy's or a caller's text.
 *
 * @module
 */

/** A literal run, or a wildcard. */
export type GlobPart = string | typeof star | typeof doubleStar

export const star: unique symbol = Symbol('*')
export const doubleStar: unique symbol = Symbol('**')

/** Cuts a pattern at its wildcards; `***` and longer runs of stars are `**`. */
export function parseGlob(pattern: string): readonly GlobPart[] {
  const parts: GlobPart[] = []
  for (const piece of pattern.split(/(\*+)/)) {
    if (piece === '') continue
    parts.push(piece[0] !== '*' ? piece : piece === '*' ? star : doubleStar)
  }
  return parts
}

/** Whether the whole of `text` matches. */
export function matchGlob(parts: readonly GlobPart[], text: string): boolean {
  let part = 0
  let at = 0
  let starPart = -1
  let starAt = 0
  let deepPart = -1
  let deepAt = 0
  for (;;) {
    const current = parts[part]
    if (current === undefined) {
      if (at === text.length) return true
    } else if (current === star) {
      starPart = ++part
      starAt = at
      continue
    } else if (current === doubleStar) {
      deepPart = ++part
      deepAt = at
      starPart = -1
      if (part === parts.length) return true
      continue
    } else if (text.startsWith(current, at)) {
      at += current.length
      part++
      continue
    }
    // A `*` takes one more character, unless that is a `/`; then the last `**` takes one more.
    if (starPart >= 0 && starAt < text.length && text[starAt] !== '/') {
      part = starPart
      at = ++starAt
    } else if (deepPart >= 0 && deepAt < text.length) {
      part = deepPart
      at = ++deepAt
      starPart = -1
    } else {
      return false
    }
  }
}
