/**
 * Append file: whole texts at the end of a file, on the disk or not there at all.
 *
 * @module
 */
import {
  close,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  write,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { HfAuthError } from '@hfauth/core'

/** The two calls on which durability hangs; replaced where a failing disk is wanted. */
export interface Disk {
  /** Writes from `offset` on at the end of the file, and gives how many bytes it wrote. */
  write(fd: number, bytes: Uint8Array, offset: number): Promise<number>
  /** Resolves when what was written is on the disk. */
  sync(fd: number): Promise<void>
  /** Whether a write is on the disk by itself when it resolves, so that nothing is left to sync. Default no. */
  readonly confirmsWrites?: boolean
}

const writeBytes = promisify(write)

const realDisk: Disk = {
  write: async (fd, bytes, offset) =>
    (await writeBytes(fd, bytes, offset, bytes.length - offset, null)).bytesWritten,
  sync: promisify(fdatasync),
  // One call in place of two, and one way to another thread and back. Elsewhere `O_DSYNC` is missing, or is less
  // than what fdatasync does there (macOS).
  confirmsWrites: process.platform === 'linux',
}

/** What says that there was no room, and so that nothing was lost. */
const full: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

const newline = 0x0a

export class AppendFile {
  private readonly fd: number
  private readonly disk: Disk
  /** Ends a line that an earlier process left unfinished, so that it does not swallow the next one. */
  private lead: '\n' | ''
  private broken = false
  /** Length of the file as far as it is ours. */
  private size: number
  private isClosed = false

  /** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `path` cannot be opened or is not a regular file. */
  constructor(path: string, disk: Disk = realDisk) {
    this.disk = disk
    this.fd = openForAppending(path, disk.confirmsWrites === true)
    this.size = fstatSync(this.fd).size
    this.lead = endsInMidLine(this.fd, this.size) ? '\n' : ''
  }

  /** True once nobody can say any more what is in the file. */
  get isBroken(): boolean {
    return this.broken
  }

  /**
   * Appends a text, or bytes as they are; one call at a time. Rejects when it is not on the disk, and then takes back what was
   * written of it. When that fails too, or the disk did not confirm, every later call is refused: nobody
   * could say any more what is in the file.
   */
  async append(content: string | Buffer): Promise<void> {
    if (this.broken) throw new Error('the audit file is in doubt since an earlier write failed')
    const bytes = typeof content === 'string' ? Buffer.from(this.lead + content) : content
    const { size } = this
    try {
      for (let at = 0; at < bytes.length; ) {
        at += await this.disk.write(this.fd, bytes, at)
      }
    } catch (error) {
      const isDoubtful = this.disk.confirmsWrites === true && !full.has((error as NodeJS.ErrnoException).code)
      this.broken = isDoubtful || !this.takeBack(size, bytes)
      throw error
    }
    if (this.disk.confirmsWrites !== true) await this.sync()
    this.size += bytes.length
    this.lead = ''
  }

  private async sync(): Promise<void> {
    try {
      await this.disk.sync(this.fd)
    } catch (error) {
      // The kernel reports lost pages once and then forgets them, so a second try proves nothing.
      this.broken = true
      throw error
    }
  }

  close(): void {
    // A second time, the number may be that of another file.
    if (this.isClosed) return
    this.isClosed = true
    this.broken = true
    close(this.fd)
  }

  /** Cuts off what follows `size`, if it is the beginning of `bytes` and not somebody else's. */
  private takeBack(size: number, bytes: Buffer): boolean {
    try {
      const length = fstatSync(this.fd).size - size
      const found = Buffer.alloc(length)
      readSync(this.fd, found, 0, length, size)
      if (!found.equals(bytes.subarray(0, length))) return false
      ftruncateSync(this.fd, size)
      return true
    } catch {
      return false
    }
  }
}

function openForAppending(path: string, confirmsWrites: boolean): number {
  const { O_RDWR, O_APPEND, O_CREAT, O_DSYNC } = constants
  let fd: number | undefined
  try {
    fd = openSync(path, O_RDWR | O_APPEND | O_CREAT | (confirmsWrites ? O_DSYNC : 0), 0o600)
    if (!fstatSync(fd).isFile()) throw new Error('not a regular file')
    syncDirectory(dirname(path))
    return fd
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `the audit file \`${path}\` cannot be written`, {
      cause: error,
    })
  }
}

/** A new file is only as durable as its name in the directory. */
function syncDirectory(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function endsInMidLine(fd: number, size: number): boolean {
  const last = Buffer.alloc(1)
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== newline
}
