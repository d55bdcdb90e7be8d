/**
 * Standard input, whole and bounded.
 *
 * @module
 */
import { UsageError } from './command.ts'

/** Longest input, in bytes: more than any token. */
const maxBytes = 64 * 1024

/** @throws UsageError when there is more than anybody would hand over. */
export async function readStdin(input: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk)
    length += bytes.length
    if (length > maxBytes) throw new UsageError(`standard input is longer than ${maxBytes} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}
