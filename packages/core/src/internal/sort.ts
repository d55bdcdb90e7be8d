/**
 * One order for everything that is printed, hashed or compared: by UTF-16 code unit, as
 * RFC 8785 sorts keys, and never by locale.
 *
 * @module
 */

export function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export function sortedUnique(names: Iterable<string>): string[] {
  return [...new Set(names)].sort(compareCodeUnits)
}
