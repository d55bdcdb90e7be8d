import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditKey, createAuditLog, publicKeyText, segmentSink } from '@hfauth/node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../src/run.ts'

let folder: string
let log: string
const heads: string[] = []
const key = auditKey(generateKeyPairSync('ed25519').privateKey)
const at = (name: string) => join(folder, name)

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hfauth-cli-audit-'))
  log = at('log')
  heads.length = 0
  const sink = await segmentSink({ directory: log, key, onHead: (note) => heads.push(note) })
  const audit = createAuditLog({ sink, environment: 'production', service: 'test', timeoutMs: 10_000 })
  const actor = { kind: 'user', id: 'hf|64a1', issuer: 'hf', roles: [] } as const
  for (let i = 0; i < 4; i++) await audit.record({ type: 'io.hfauth.decision', requestId: `r-${i}`, actor })
  await audit.close()
  writeFileSync(at('keys'), publicKeyText(key))
  writeFileSync(at('head'), heads.at(-1) ?? '')
})
afterEach(() => rmSync(folder, { recursive: true }))

async function verify(...args: string[]) {
  const out: string[] = []
  const errors: string[] = []
  const code = await run(['audit', 'verify', ...args], {
    out: (line) => void out.push(line),
    error: (line) => void errors.push(line),
    env: {},
    signal: new AbortController().signal,
  })
  return { code, out: out.join('\n'), errors: errors.join('\n') }
}

const segment = () => join(log, '00000001.jsonl')
const alter = (change: (text: string) => string) =>
  writeFileSync(segment(), change(readFileSync(segment(), 'utf8')))

describe('hfauth audit verify', () => {
  test('exits 0 for a whole log, and says how far it is signed and whose keys these were', async () => {
    const own = await verify(log)
    expect(own.code).toBe(0)
    expect(own.out).toContain('4 events in 1 segments')
    expect(own.out).toContain('signed up to event 4')
    expect(own.out).toContain('kept elsewhere')
    const given = await verify(log, '--key', at('keys'), '--head', at('head'))
    expect(given).toMatchObject({ code: 0, errors: '' })
    expect(given.out).not.toContain('kept elsewhere')
  })

  test('exits 1 for a changed one, and names segment, line and event', async () => {
    alter((text) => text.replace('r-2', 'r-9'))
    const { code, errors } = await verify(log)
    expect(code).toBe(1)
    expect(errors).toContain('segment 1, line 4: event 3 ')
    expect(errors).toContain('record_changed')
  })

  test('exits 1 for one that was cut off, which a head from elsewhere shows', async () => {
    alter((text) => `${text.split('\n').slice(0, 3).join('\n')}\n`)
    expect((await verify(log, '--key', at('keys'))).code).toBe(0)
    const { code, errors } = await verify(log, '--key', at('keys'), '--head', at('head'))
    expect(code).toBe(1)
    expect(errors).toContain('ends after line 3')
  })

  test('exits 3 for a whole one that tells of a loss itself', async () => {
    alter((text) => `${text}half a line`)
    const sink = await segmentSink({ directory: log, key })
    const audit = createAuditLog({ sink, environment: 'production', service: 'test' })
    await audit.close()
    const { code, out } = await verify(log)
    expect(code).toBe(3)
    expect(out).toContain('11 bytes of an unfinished line')
  })

  test('writes a report for programs with `--json`', async () => {
    const { code, out } = await verify(log, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ ok: true, events: 4, findings: [], losses: [] })
  })

  test('exits 2 when there is nothing to read, or the question makes no sense', async () => {
    expect((await verify(at('none'))).code).toBe(2)
    expect((await verify(folder)).code).toBe(2)
    expect((await verify()).code).toBe(2)
    expect((await verify(log, '--key', at('none'))).code).toBe(2)
  })
})
