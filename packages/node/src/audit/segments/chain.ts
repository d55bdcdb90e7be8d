/**
 * Chain: what a line of a segment is, and the hash that ties it to all lines before it.
 *
 * event → **line** → segment → verify. The hash covers the bytes as they are stored, so that reading them
 * needs no canonical form: `SHA-256("hfauth-audit-v1" ‖ 0x00 ‖ previous hash ‖ body)`, where the body is the
 * line without its last member.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'

/** What stands before the first line of a log. */
export const genesisHash: Buffer = Buffer.alloc(32)

/** Length of `,"hash":"…"}` with its 43 characters of base64url. */
const tailLength = 54
const tailStart = Buffer.from(',"hash":"')
const domain = Buffer.from('hfauth-audit-v1\0')

/** Longest line that a reader takes, in bytes; what an event may hold is far below. */
export const maxLineBytes: number = 4 * 1024 * 1024

/** A line taken apart. */
export interface SealedLine {
  /** The JSON text that the hash covers. */
  readonly body: string
  /** 32 bytes, as the line tells them. */
  readonly hash: Buffer
}

/** The hash of a line with this body, after the line with hash `previous`. */
export function chainHash(previous: Uint8Array, body: string | Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([domain, previous, Buffer.from(body)]), 'buffer')
}

/** Reads a line without its line break; `undefined` when it is not one of ours. Does not check the hash. */
export function splitLine(line: Buffer): SealedLine | undefined {
  const at = line.length - tailLength
  if (at < 2 || line[0] !== 0x7b || !line.subarray(at, at + tailStart.length).equals(tailStart))
    return undefined
  // The hash covers bytes: what is no text would be read as another one, and have its hash.
  if (!isUtf8(line)) return undefined
  const text = line.toString('latin1', at + tailStart.length, line.length - 2)
  const own = Buffer.from(text, 'base64url')
  if (
    own.length !== 32 ||
    own.toString('base64url') !== text ||
    line.toString('latin1', line.length - 2) !== '"}'
  )
    return undefined
  return { body: `${line.toString('utf8', 0, at)}}`, hash: own }
}

/** Makes lines one after the other, each in the same piece of memory as the ones before. */
export class LineWriter {
  private bytes = Buffer.allocUnsafe(256 * 1024)
  private used = 0
  /** Domain, previous hash and body of the line that is being made. */
  private scratch = Buffer.allocUnsafe(64 * 1024)
  private previous: Buffer

  constructor(previous: Uint8Array) {
    this.previous = Buffer.from(previous)
    domain.copy(this.scratch)
  }

  /** Forgets lines that were not taken, and goes on behind a line with this hash. */
  continueFrom(previous: Buffer): void {
    this.previous = previous
    this.used = 0
  }

  /** Hash of the last line. */
  get last(): Buffer {
    return this.previous
  }

  /** Adds a line for a JSON object with at least one member, and gives its hash. */
  add(body: string): Buffer {
    const start = domain.length
    const bodyAt = start + 32
    // Three bytes of UTF-8 at most for each code unit.
    if (this.scratch.length < bodyAt + body.length * 3) {
      this.scratch = Buffer.allocUnsafe(bodyAt + body.length * 3)
      domain.copy(this.scratch)
    }
    this.previous.copy(this.scratch, start)
    const end = bodyAt + this.scratch.write(body, bodyAt, 'utf8')
    const own = hash('sha256', this.scratch.subarray(0, end), 'buffer')
    const length = end - bodyAt - 1
    this.reserve(length + tailLength + 1)
    this.scratch.copy(this.bytes, this.used, bodyAt, end - 1)
    this.used += length
    this.used += this.bytes.write(`,"hash":"${own.toString('base64url')}"}\n`, this.used, 'latin1')
    this.previous = own
    return own
  }

  /** The lines since the last call; good until the next line is added. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.used)
    this.used = 0
    return taken
  }

  private reserve(length: number): void {
    if (this.used + length <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.used + length))
    this.bytes.copy(larger, 0, 0, this.used)
    this.bytes = larger
  }
}
