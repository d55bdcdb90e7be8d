/**
 * Port numbers as options.
 *
 * @module
 */
import { UsageError } from './command.ts'

export function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError(`\`${text}\` is not a port`)
  return port
}
