/**
 * Arrival: an answer as it comes out of undici's parser, kept until it is read.
 *
 * upstream client → **arrival** → answer. When a head is read its short body is mostly there as well, and is
 * then had without waiting.
 *
 * @module
 */
import type { Dispatcher } from 'undici'
import { Fields } from './fields.ts'
import type { Chunks, Reply } from './reply.ts'
import type { Stop } from './stop.ts'

export interface ArrivalOptions {
  readonly stop: Stop
  /** With the head, once. */
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

/** Most interim responses (1xx) before an answer; a server that sends more has none. */
const maxInterim = 8
/** Bytes that wait to be read before the connection is no longer read from. */
const enoughBytes = 65_536

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>

export class Arrival implements Dispatcher.DispatchHandler, Chunks {
  private readonly settle: Pick<ArrivalOptions, 'resolve' | 'reject'>
  private controller: Dispatcher.DispatchController | undefined
  private interim = 0
  private chunks: Buffer[] = []
  private waitingBytes = 0
  private isComplete = false
  private error: Error | undefined
  private reader: { resolve(chunk: Uint8Array | undefined): void; reject(error: Error): void } | undefined

  constructor({ stop, resolve, reject }: ArrivalOptions) {
    this.settle = { resolve, reject }
    stop.onStop((reason) => this.end(new Error(reason)))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.error !== undefined) controller.abort(this.error)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, raw: RawHeaders): void {
    if (status < 200) {
      this.interim += 1
      if (this.interim > maxInterim) controller.abort(new Error('too many interim answers'))
      return
    }
    const hasBody = status !== 204 && status !== 205 && status !== 304
    const length = raw['content-length'] ?? '0'
    if (!hasBody && status !== 304 && (length !== '0' || raw['transfer-encoding'] !== undefined)) {
      controller.abort(new Error('content in an answer that has none'))
      return
    }
    this.settle.resolve({ status, headers: Arrival.fields(raw), body: hasBody ? this : null })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { reader } = this
    if (reader !== undefined) {
      this.reader = undefined
      reader.resolve(chunk)
      return
    }
    this.chunks.push(chunk)
    this.waitingBytes += chunk.length
    if (this.waitingBytes >= enoughBytes) controller.pause()
  }

  onResponseEnd(): void {
    this.isComplete = true
    this.reader?.resolve(undefined)
    this.reader = undefined
  }

  onResponseError(_: unknown, error: Error): void {
    this.error ??= error
    this.settle.reject(this.error)
    this.reader?.reject(this.error)
    this.reader = undefined
  }

  get isDone(): boolean {
    return this.isComplete && this.chunks.length === 0 && this.error === undefined
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const chunk = this.chunks.shift()
    if (chunk !== undefined) {
      this.waitingBytes -= chunk.length
      if (this.waitingBytes < enoughBytes) this.controller?.resume()
      return chunk
    }
    if (this.error !== undefined) throw this.error
    if (this.isComplete) return undefined
    return new Promise((resolve, reject) => {
      this.reader = { resolve, reject }
    })
  }

  cancel(): void {
    if (!this.isDone) this.end(new Error('nobody wants the rest'))
  }

  static fields(raw: RawHeaders): Fields {
    const fields = new Fields()
    for (const name in raw) {
      const value = raw[name]
      // A parser may leave space at the end, which is no part of it (RFC 9112 §5.1).
      if (typeof value === 'string') fields.append(name, value.trim())
      else for (const one of value ?? []) fields.append(name, one.trim())
    }
    return fields
  }

  /** What has arrived and was not read is dropped too: whoever is stopped gets no more of it. */
  private end(error: Error): void {
    this.chunks = []
    this.onResponseError(undefined, error)
    if (!this.isComplete) this.controller?.abort(error)
  }
}
