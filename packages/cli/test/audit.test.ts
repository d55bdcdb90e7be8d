/**
 * `hfauth audit query` and `hfauth audit report`: from a log on the disk to a table, a file and a page.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../src/run.ts'
import { visible } from '../src/visible.ts'

const folder = mkdtempSync(join(tmpdir(), 'hfauth-cli-audit-'))
const log = join(folder, 'audit.jsonl')
const policy = join(folder, 'policy.yaml')

beforeAll(() => {
  const events = [
    {
      type: 'io.hfauth.decision',
      decision: { effect: 'allow', reason: 'allowed', statements: [], policy: 'sha256:a' },
    },
    {
      type: 'io.hfauth.model.load',
      resource: { kind: 'model', id: 'acme/ranker', revision: 'v3', commit },
      http: { method: 'GET', route: '/r', status: 200 },
    },
    {
      type: 'io.hfauth.decision',
      action: 'write',
      requestId: 'r2',
      decision: { effect: 'deny', reason: '=no\u001b[2J', statements: [], policy: 'sha256:a' },
    },
    { type: 'io.hfauth.audit.gap', loss: { reason: 'overflow', count: 3 } },
  ].map((event, i) => ({
    v: 1,
    id: `id-${i}`,
    time: `2026-01-0${i + 1}T00:00:00.000Z`,
    environment: 'production',
    service: 'test',
    writer: 'w',
    seq: i + 1,
    requestId: 'r1',
    actor: { kind: 'user', id: 'hf|ada', issuer: 'hf', roles: [] },
    action: 'read',
    resource: { kind: 'model', id: 'acme/ranker' },
    ...event,
  }))
  writeFileSync(log, events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  writeFileSync(
    policy,
    `version: 1
name: acme
issuers: { hf: { preset: huggingface, audience: app } }
environments: { production: {} }
roles: { engineer: { allow: [{ actions: [read], on: ['model:acme/*'] }] } }
bindings: [{ roles: [engineer], to: { issuer: hf } }]
`,
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const commit = '0123456789abcdef0123456789abcdef01234567'

async function hfauth(...args: string[]) {
  const out: string[] = []
  const error: string[] = []
  const io = {
    out: (line: string) => void out.push(line),
    error: (line: string) => void error.push(line),
    env: {},
    signal: new AbortController().signal,
  }
  const code = await run(['audit', ...args], io)
  return { code, out: out.join('\n'), error: error.join('\n') }
}

describe('hfauth audit query', () => {
  test('shows who loaded a model as a table, and says aloud that the log has a gap', async () => {
    const { code, out, error } = await hfauth(
      'query',
      'loads',
      '--log',
      log,
      '--resource',
      'model:acme/ranker',
    )
    expect(code).toBe(0)
    expect(out.split('\n')).toHaveLength(2)
    expect(out).toMatch(/^time +actor .*outcome/)
    expect(out).toMatch(
      new RegExp(`2026-01-02T00:00:00.000Z +hf\\|ada +hf +model:acme/ranker +v3 +${commit} +200`),
    )
    const asked = ['query', 'loads', '--log', log, '--resource', 'model:acme/ranker', '--json']
    const found = JSON.parse((await hfauth(...asked, '--revision', commit)).out)
    expect(found).toMatchObject({ rows: [{ revision: 'v3', commit }], revisions: { [commit]: 1 } })
    expect(error).toContain('the log has a gap, told at 2026-01-04T00:00:00.000Z: overflow, 3 events')
  })

  test('a period is of days or of moments, and its end is not in it', async () => {
    const denials = (...period: string[]) => hfauth('query', 'denials', '--log', log, ...period)
    expect((await denials('--from', '2026-01-03', '--to', '2026-01-04')).out).toContain('hf|ada')
    expect((await denials('--to', '2026-01-03T00:00:00Z')).out).toBe('nothing on record')
  })

  test('JSON has the rows, what is beyond the limit and the gaps', async () => {
    const { out } = await hfauth(
      'query',
      'activity',
      '--log',
      log,
      '--actor',
      'hf|ada',
      '--limit',
      '1',
      '--json',
    )
    expect(JSON.parse(out)).toMatchObject({ rows: [{ requestId: 'r1' }], more: 2, gaps: [{ count: 3 }] })
  })

  test('what a terminal or a spreadsheet would run is shown and not run', async () => {
    const { out } = await hfauth('query', 'denials', '--log', log)
    expect(out).toContain(String.raw`=no\u001b[2J`)
    expect((await hfauth('query', 'denials', '--log', log, '--csv')).out).toContain(`"'=no`)
    expect(visible('a\u202eb\u2028\ud800')).toBe(String.raw`a\u202eb\u2028\ud800`)
  })

  test('grants of a policy that nobody used are those of its file', async () => {
    const { out } = await hfauth('query', 'unused-grants', '--log', log, '--policy', policy)
    expect(out).toMatch(/roles\.engineer\.allow#\w+ +engineer +0/)
  })

  test.each([
    [['everything', '--log', 'x']],
    [['loads', '--log', 'x']],
    [['activity', '--log', 'x']],
    [['denials']],
    [['denials', '--log', 'x', '--postgres']],
    [['denials', '--postgres']],
    [['denials', '--log', 'x', '--from', '2026-02-30']],
    [['denials', '--log', 'x', '--from', 'yesterday']],
    [['denials', '--log', 'x', '--resource', 'acme']],
    [['denials', '--log', 'x', '--json', '--csv']],
    [['activity', '--log', 'x', '--actor', 'a', '--limit', '0']],
    [['denials', 'more', '--log', 'x']],
  ])('%j is not a question', async (args) => {
    const { code, error } = await hfauth('query', ...args)
    expect(code).toBe(2)
    expect(error).toContain('usage: hfauth audit query')
  })

  test('a log that is not there is an error and not an empty answer', async () => {
    const { code, error } = await hfauth('query', 'denials', '--log', join(folder, 'nowhere'))
    expect(code).toBe(1)
    expect(error).toContain('HFAUTH_AUDIT_UNREADABLE')
  })
})

describe('hfauth audit report', () => {
  const period = ['--from', '2026-01-01', '--to', '2026-02-01'] as const

  test('writes a page that only its owner can read', async () => {
    const file = join(folder, 'report.html')
    const { code, out } = await hfauth(
      'report',
      '--log',
      log,
      ...period,
      '--policy',
      policy,
      '--organisation',
      'Acme',
      '--out',
      file,
    )
    expect(code).toBe(0)
    expect(out).toBe(`${file}: written`)
    expect(readFileSync(file, 'utf8')).toContain('Access and audit report: Acme')
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('gives the same as JSON', async () => {
    const { out } = await hfauth('report', '--log', log, ...period, '--json')
    expect(JSON.parse(out)).toMatchObject({ v: 1, totals: { events: 4, allowed: 1, denied: 1, lost: 3 } })
  })

  test.each([
    [['--log', 'x', '--from', '2026-01-01']],
    [['--log', 'x', '--from', '2026-02-01', '--to', '2026-01-01']],
    [[...period, '--key', 'k', '--log', log]],
    [[...period]],
  ])('%j is not a report', async (args) => {
    expect((await hfauth('report', ...args)).code).toBe(2)
  })
})
