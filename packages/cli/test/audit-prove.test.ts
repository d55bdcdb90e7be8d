import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditKey, createAuditLog, publicKeyText, segmentSink } from '@hfauth/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../src/run.ts'

let folder: string
let id: string
const heads: string[] = []
const key = auditKey(generateKeyPairSync('ed25519').privateKey)
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hfauth-cli-prove-'))
  const directory = at('log')
  const sink = await segmentSink({ directory, key, headEveryLines: 2, onHead: (note) => heads.push(note) })
  const audit = createAuditLog({ sink, environment: 'production', service: 'test', timeoutMs: 10_000 })
  const actor = { kind: 'user', id: 'hf|64a1', issuer: 'hf', roles: [] } as const
  for (let i = 0; i < 4; i++) {
    const event = await audit.record({ type: 'io.hfauth.decision', requestId: `r-${i}`, actor })
    if (i === 1) id = event.id
    if (i === 2) await sink.rotate()
  }
  await audit.close()
  writeFileSync(at('keys'), publicKeyText(key))
  writeFileSync(at('strange'), publicKeyText(auditKey(generateKeyPairSync('ed25519').privateKey)))
  writeFileSync(at('early'), heads[0] ?? '')
  writeFileSync(at('late'), heads.at(-1) ?? '')
})
afterAll(() => rmSync(folder, { recursive: true }))

async function hfauth(...args: string[]) {
  const out: string[] = []
  const errors: string[] = []
  const code = await run(['audit', ...args], {
    out: (line) => void out.push(line),
    error: (line) => void errors.push(line),
    env: {},
    signal: new AbortController().signal,
  })
  return { code, out: out.join('\n'), errors: errors.join('\n') }
}

describe('hfauth audit prove and verify-proof', () => {
  test('prove an event to whoever has the public key', async () => {
    expect(await hfauth('prove', id, '--log', at('log'), '--out', at('proof'))).toEqual({
      code: 0,
      out: '',
      errors: '',
    })
    expect(statSync(at('proof')).mode & 0o077).toBe(0)
    const checked = await hfauth('verify-proof', at('proof'), '--key', at('keys'))
    expect(checked).toMatchObject({ code: 0, errors: '' })
    expect(checked.out).toContain('event 2 (io.hfauth.decision')
    expect(checked.out).toContain('"requestId":"r-1"')
    const json = await hfauth('verify-proof', at('proof'), '--key', at('keys'), '--json')
    expect(JSON.parse(json.out)).toMatchObject({ ok: true, segment: 1, event: { id } })
  })

  test('prove that a log has only grown since a head that was kept', async () => {
    const { out } = await hfauth('prove', '--from', at('early'), '--log', at('log'))
    writeFileSync(at('growth'), out)
    const checked = await hfauth('verify-proof', at('growth'), '--key', at('keys'), '--head', at('early'))
    expect(checked).toMatchObject({ code: 0, errors: '' })
    expect(checked.out).toMatch(
      /the \d+ lines under hfauth-audit\/.+\/1\nare all there under .+\/2, \d+ lines/,
    )
    const other = await hfauth('verify-proof', at('growth'), '--key', at('keys'), '--head', at('late'))
    expect(other).toMatchObject({ code: 1, errors: expect.stringContaining('head_other') })
  })

  test('exit 1 for a proof that shows nothing, and say why', async () => {
    await hfauth('prove', id, '--log', at('log'), '--out', at('proof'))
    expect(await hfauth('verify-proof', at('proof'), '--key', at('strange'))).toMatchObject({
      code: 1,
      errors: 'a head is signed by none of these keys (signature_unknown)',
    })
    writeFileSync(at('none'), 'nothing')
    expect((await hfauth('verify-proof', at('none'), '--key', at('keys'))).errors).toContain(
      'proof_malformed',
    )
    const changed = readFileSync(at('proof'), 'utf8').replace(/^index \d+$/m, 'index 0')
    writeFileSync(at('changed'), changed)
    expect(await hfauth('verify-proof', at('changed'), '--key', at('keys'), '--json')).toMatchObject({
      code: 1,
      out: expect.stringContaining('proof_wrong'),
    })
    expect(await hfauth('prove', 'no such event', '--log', at('log'))).toMatchObject({
      code: 1,
      errors: expect.stringContaining('HFAUTH_AUDIT_UNPROVABLE'),
    })
  })

  test.each([
    [['prove', 'x']],
    [['prove', '--log', 'x']],
    [['prove', 'x', 'y', '--log', 'x']],
    [['prove', 'x', '--from', 'y', '--log', 'x']],
    [['prove', 'x', '--to', 'y', '--log', 'x']],
    [['prove', '--from', 'x', '--head', 'y', '--log', 'x']],
    [['prove', '--from', '/nowhere', '--log', 'x']],
    [['verify-proof']],
    [['verify-proof', 'x']],
    [['verify-proof', '/nowhere', '--key', '/nowhere']],
  ])('exit 2 for %j', async (args) => {
    expect((await hfauth(...args)).code).toBe(2)
  })
})
