/**
 * Program: runs a CI provider's own tool, bounded in time and output, without a shell.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import type { RunProgram } from './types.ts'

const maxOutputBytes = 64 * 1024

/** What the tool writes to its error stream is shown to nobody: it may repeat the token. */
export const runProgram: RunProgram = (program, args, { input = '' } = {}) =>
  new Promise((resolve) => {
    const child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'ignore'], timeout: 30_000 })
    const chunks: Buffer[] = []
    let length = 0
    child.on('error', () => resolve(undefined))
    child.stdin.on('error', () => undefined)
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > maxOutputBytes) child.kill()
      else chunks.push(chunk)
    })
    child.on('close', (code) => resolve({ code: code ?? 1, stdout: Buffer.concat(chunks).toString('utf8') }))
    child.stdin.end(input)
  })
