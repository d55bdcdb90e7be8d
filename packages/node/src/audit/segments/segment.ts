/**
 * Segment: the file that is written now, with its chain and its tree.
 *
 * writer → **segment** → disk. A batch is on the disk as a whole, or the segment is as if it had never come.
 *
 * @module
 */
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppendFile, type Disk } from '../append-file.ts'
import { LineWriter } from './chain.ts'
import type { SegmentEnd, SegmentStart } from './entries.ts'
import { segmentName } from './files.ts'
import { leafHash, MerkleTree } from './merkle.ts'
import type { SegmentState } from './recover.ts'
import { createIndexBuilder, type IndexBuilder } from './segment-index.ts'

type Written = Pick<SegmentState, 'tree' | 'hash' | 'covered' | 'bytes'>

export class Segment {
  readonly start: SegmentStart
  /** Of the events that are on the disk: whoever appends them adds them. */
  readonly index: IndexBuilder
  private readonly directory: string
  private readonly disk: Disk | undefined
  private file: AppendFile
  private state: Written
  private readonly lines: LineWriter

  private constructor(
    directory: string,
    start: SegmentStart,
    state: Written & { readonly index: IndexBuilder },
    disk: Disk | undefined,
  ) {
    this.directory = directory
    this.start = start
    this.state = state
    this.index = state.index
    this.disk = disk
    this.file = new AppendFile(this.path, disk)
    this.lines = new LineWriter(state.hash)
  }

  /** Continues one, cutting off what a crash left behind it. */
  static async continue(directory: string, state: SegmentState, disk?: Disk): Promise<Segment> {
    const { start, tornBytes, bytes } = state
    if (tornBytes > 0) await cut(join(directory, segmentName(start.number)), bytes, disk)
    return new Segment(directory, start, state, disk)
  }

  /** Begins one; what an attempt before left of it is removed. */
  static async begin(
    directory: string,
    start: SegmentStart,
    previousHash: Buffer,
    disk?: Disk,
  ): Promise<Segment> {
    await rm(join(directory, segmentName(start.number)), { force: true })
    const state = {
      tree: new MerkleTree(),
      hash: previousHash,
      covered: 0,
      bytes: 0,
      index: createIndexBuilder(),
    }
    const segment = new Segment(directory, start, state, disk)
    try {
      await segment.append([JSON.stringify({ segment: start })])
      return segment
    } catch (error) {
      segment.close()
      throw error
    }
  }

  get path(): string {
    return join(this.directory, segmentName(this.start.number))
  }

  get bytes(): number {
    return this.state.bytes
  }

  /** Lines that no head covers yet. A head itself needs none. */
  get uncovered(): number {
    return this.state.tree.size - this.state.covered
  }

  get isBroken(): boolean {
    return this.file.isBroken
  }

  get end(): SegmentEnd {
    const { tree, hash } = this.state
    return {
      number: this.start.number,
      lines: tree.size,
      root: tree.root().toString('base64url'),
      hash: hash.toString('base64url'),
    }
  }

  /**
   * Adds lines, and a last one that is made from the tree over all before it.
   *
   * @param seal - Makes the body of a head; absent, there is none.
   */
  async append(bodies: readonly string[], seal?: (tree: MerkleTree) => string): Promise<void> {
    const tree = new MerkleTree(this.state.tree)
    this.lines.continueFrom(this.state.hash)
    for (const body of bodies) tree.append(leafHash(this.lines.add(body)))
    let { covered } = this.state
    if (seal !== undefined) {
      tree.append(leafHash(this.lines.add(seal(tree))))
      covered = tree.size
    }
    const content = this.lines.take()
    await this.file.append(content)
    this.state = { tree, hash: this.lines.last, covered, bytes: this.state.bytes + content.length }
  }

  /** After a write of which nobody knows what is left: cuts the file back to what is known to be on the disk. */
  async repair(): Promise<void> {
    this.file.close()
    await cut(this.path, this.state.bytes, this.disk)
    this.file = new AppendFile(this.path, this.disk)
  }

  close(): void {
    this.file.close()
  }
}

/** By a new descriptor: one on which a sync has failed may call the next one a success. */
async function cut(path: string, bytes: number, disk: Disk | undefined): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.truncate(bytes)
    await (disk === undefined ? file.sync() : disk.sync(file.fd))
  } finally {
    await file.close()
  }
}
