/**
 * Program: runs a CI provider's own tool, bounded in time and output, without a shell.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import type { RunProgram } from './types.ts'

const maxOutputBytes = 64 * 1024
const timeoutMs = 30_000

/** What the tool writes to its error stream is shown to nobody: it may repeat the token. */
export const runProgram: RunProgram = (program, args, { input = '' } = {}) =>
  new Promise((resolve) => {
    // A signal, since the `timeout` of a program that is not there would keep this process alive.
    const signal = AbortSignal.timeout(timeoutMs)
    const child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'ignore'], signal })
    const chunks: Buffer[] = []
    let length = 0
    child.on('error', (error) =>
      resolve('code' in error && error.code === 'ENOENT' ? undefined : { code: 1, stdout: '' }),
    )
    child.stdin.on('error', () => undefined)
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > maxOutputBytes) child.kill()
      else chunks.push(chunk)
    })
    child.on('close', (code) => resolve({ code: code ?? 1, stdout: Buffer.concat(chunks).toString('utf8') }))
    child.stdin.end(input)
  })
