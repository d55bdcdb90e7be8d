/**
 * Table: rows for a terminal, in columns as wide as they need to be.
 *
 * @module
 */
import { visible } from '../visible.ts'

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
