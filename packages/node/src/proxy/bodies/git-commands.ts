/**
 * Git commands: which refs a push changes, read from the head of its body.
 *
 * inbound → **Git commands** → question, forward. The list of commands comes first and ends with a flush; the
 * objects behind it are passed on as they come. Nothing is taken out or put in.
 *
 * @see git-scm.com/docs/pack-protocol, "Reference Update Request"; git-scm.com/docs/protocol-common, "pkt-line"
 * @module
 */
import { ProxyRefusal } from '../wire/proxy-refusal.ts'

export interface GitCommands {
  /** Of branches the short name, of anything else the whole; empty for the question whether one may ask. */
  readonly revisions: readonly string[]
  /** The whole body, once more from its beginning. */
  readonly body: ReadableStream<Uint8Array>
}

export interface ReadGitCommandsOptions {
  /** Longest list of commands, in bytes. */
  readonly maxBytes: number
  /** Longest wait for it, in milliseconds. */
  readonly timeoutMs: number
}

const command = /^[0-9a-f]{40,64} [0-9a-f]{40,64} (refs\/[^\0\n ]+)(?:\0[^\n]*)?\n?$/
const shallow = /^shallow [0-9a-f]{40,64}\n?$/

/** @throws ProxyRefusal `body_invalid` for what is no list of commands, `body_too_large`, `body_timeout`. */
export async function readGitCommands(
  body: ReadableStream<Uint8Array> | undefined,
  { maxBytes, timeoutMs }: ReadGitCommandsOptions,
): Promise<GitCommands> {
  if (body === undefined) throw new ProxyRefusal('body_invalid')
  const reader = body.getReader()
  const late = AbortSignal.timeout(timeoutMs)
  const tooLate = new Promise<'late'>((resolve) => {
    late.addEventListener('abort', () => resolve('late'), { once: true })
  })
  const revisions: string[] = []
  let head = Buffer.alloc(0)
  let at = 0
  for (;;) {
    const line = readLine(head, at)
    if (line === 'flush') break
    if (line !== undefined) {
      at += line.length + 4
      const text = line.toString('utf8')
      if (shallow.test(text)) continue
      const ref = command.exec(text)?.[1]
      if (ref === undefined) throw new ProxyRefusal('body_invalid')
      revisions.push(ref.replace(/^refs\/heads\//, ''))
      continue
    }
    if (head.length > maxBytes) throw new ProxyRefusal('body_too_large')
    const next = await Promise.race([reader.read(), tooLate])
    if (next === 'late') throw new ProxyRefusal('body_timeout')
    if (next.done) throw new ProxyRefusal('body_invalid')
    head = Buffer.concat([head, next.value])
  }
  return { revisions, body: again(head, reader) }
}

/** One pkt-line without its length; `undefined` when it has not all arrived. @throws ProxyRefusal `body_invalid`. */
function readLine(bytes: Buffer, at: number): Buffer | 'flush' | undefined {
  if (bytes.length < at + 4) return undefined
  const digits = bytes.toString('latin1', at, at + 4)
  if (digits === '0000') return 'flush'
  const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : 0
  if (length <= 4) throw new ProxyRefusal('body_invalid')
  return bytes.length < at + length ? undefined : bytes.subarray(at + 4, at + length)
}

function again(
  head: Uint8Array,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  let isFirst = true
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (isFirst) {
          isFirst = false
          return controller.enqueue(head)
        }
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
