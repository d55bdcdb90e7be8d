/**
 * Table: rows for a terminal, in columns as wide as they need to be.
 *
 * @module
 */

/** Columns are the members of all rows; nothing in them can move the cursor or hide what follows. */
export function tableLines(rows: readonly object[]): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = [
    names,
    ...rows.map((row) => names.map((name) => visible((row as Record<string, unknown>)[name]))),
  ]
  const widths = names.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)))
  return cells.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** One line of text: controls, line breaks and direction marks shown as their code. */
export function visible(value: unknown): string {
  if (value === undefined) return ''
  return String(value).replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Surrogate}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
