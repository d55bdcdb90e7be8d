/**
 * Questions to the audit log: one suite for every source, and what an index may and may not do.
 */
import { hash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parsePolicy } from '@hfauth/core'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createBloom } from '../../src/audit/segments/bloom.ts'
import { createIndexBuilder } from '../../src/audit/segments/segment-index.ts'
import {
  type AuditSource,
  auditLogSource,
  queryAudit,
  type RecordedEvent,
  segmentSink,
  toCsv,
  verifySegments,
} from '../../src/index.ts'
import { postgresAuditSource, postgresDestination } from '../../src/postgres.ts'
import { dayMs, decided, eventMaker, firstDay, ranker, revision, writeSegments } from './event-fixture.ts'
import { connectPg, postgresIsThere, postgresTest, randomTable, removeTable } from './postgres-server.ts'
import { createFolder, key, readFileLines, writeFileLines } from './segment-fixture.ts'

const policy = parsePolicy({
  version: 1,
  name: 'acme',
  issuers: { hf: { preset: 'huggingface', audience: 'app' } },
  environments: { production: {} },
  roles: {
    engineer: {
      allow: [
        { actions: ['read'], on: ['model:acme/*'] },
        { actions: ['write'], on: ['model:acme/*'] },
      ],
    },
  },
  bindings: [{ roles: ['engineer'], to: { issuer: 'hf' } }],
})
const [readId = '', writeId = ''] = policy.roles.get('engineer')?.statements.map(({ id }) => id) ?? []

/** Six days in three segments: loads, denials, a gap, and a permission whose end nobody saw. */
function sixDays(): RecordedEvent[][] {
  const make = eventMaker()
  const other = { kind: 'model', id: 'acme/other' } as const
  const decision = { ...decided('allow', 'allowed', [readId]), policy: policy.reference.digest }
  const allowed = { action: 'read', resource: ranker, decision } as const
  const load = {
    type: 'io.hfauth.model.load',
    action: 'read',
    http: { method: 'GET', route: '/r', status: 200, bytesOut: 9 },
  } as const
  return [
    [
      make({ ...allowed, requestId: 'a' }),
      make({ ...load, resource: { ...ranker, revision: 'main', commit: revision }, requestId: 'a' }),
      make({ ...allowed, by: 'ben', resource: other, day: 1, requestId: 'b' }),
      make({
        by: 'ben',
        day: 1,
        action: 'write',
        resource: ranker,
        decision: decided('deny', 'no_matching_rule'),
      }),
    ],
    [
      make({ ...allowed, by: 'ci', resource: { kind: 'model', id: 'Acme/Ranker' }, day: 2, requestId: 'c' }),
      make({ type: 'io.hfauth.token.rejected', by: 'nobody', day: 2, error: 'HFAUTH_TOKEN_EXPIRED' }),
      make({ type: 'io.hfauth.audit.gap', day: 3, loss: { reason: 'overflow', count: 7 } }),
    ],
    [
      make({ ...allowed, day: 4, environment: 'staging', requestId: 'd' }),
      make({
        ...load,
        day: 4,
        environment: 'staging',
        error: 'client_closed',
        resource: ranker,
        requestId: 'd',
      }),
      make({ ...allowed, by: 'ben', day: 5, requestId: 'e' }),
      make({ type: 'io.hfauth.stream.started', by: 'ben', day: 5, resource: ranker, requestId: 'e' }),
      make({
        by: 'ben',
        day: 5,
        action: 'write',
        resource: other,
        decision: decided('deny', 'no_matching_rule'),
      }),
      make({
        by: 'ben',
        day: 5,
        action: 'admin',
        resource: other,
        decision: decided('deny', 'explicit_deny'),
      }),
      make({
        ...allowed,
        day: 5,
        requestId: 'f',
        actor: { kind: 'workload', id: 'bot', issuer: 'hf', roles: [], actedBy: ['hf|ada', 'hf|ben'] },
        by: 'ci',
      }),
    ],
  ]
}

const folder = createFolder()
const closing: (() => Promise<void>)[] = []
const sources: Record<string, AuditSource> = {}

beforeAll(async () => {
  const segments = sixDays()
  await writeSegments(join(folder.path, 'log'), segments)
  writeFileSync(
    join(folder.path, 'log.jsonl'),
    segments
      .flat()
      .map((event) => `${JSON.stringify(event)}\n`)
      .join(''),
  )
  sources['a directory of segments'] = auditLogSource(join(folder.path, 'log'))
  sources['a directory of segments, all of them read'] = auditLogSource(join(folder.path, 'log'), {
    readAll: true,
  })
  sources['a file of JSON lines'] = auditLogSource(join(folder.path, 'log.jsonl'))
  if (!postgresIsThere && process.env.CI === undefined) return
  const database = await connectPg()
  const table = randomTable()
  closing.push(() => removeTable(database, table).then(() => database.close()))
  const destination = postgresDestination({ client: database.client, table })
  await destination.migrate()
  // Backwards and twice: what arrives late or again changes no answer.
  for (const events of [...segments].reverse()) await destination.deliver(events)
  await destination.deliver(segments.flat())
  sources.PostgreSQL = postgresAuditSource({ client: database.client, table })
})
afterAll(async () => {
  for (const close of closing) await close()
  folder.remove()
})

const names = [
  'a directory of segments',
  'a directory of segments, all of them read',
  'a file of JSON lines',
  'PostgreSQL',
]

describe.each(names)('asked of %s', (name) => {
  const asked = name === 'PostgreSQL' ? postgresTest : test
  const source = () => sources[name] as AuditSource
  const on = (day: number) => firstDay + day * dayMs

  asked('who loaded a model names everyone, the revision, and what became of it', async () => {
    const { rows, revisions, gaps, more } = await queryAudit(source(), {
      ask: 'loads',
      resource: { kind: 'model', id: 'acme/RANKER' },
    })
    expect(rows.map(({ requestId, actor, outcome }) => [requestId, actor, outcome])).toEqual([
      ['a', 'hf|ada', '200'],
      ['c', 'repo:acme/serving:ref:refs/heads/main', 'unknown'],
      ['d', 'hf|ada', 'client_closed'],
      ['e', 'hf|ben', 'begun'],
      ['f', 'bot', 'unknown'],
    ])
    expect(rows[0]).toMatchObject({ revision: 'main', commit: revision, bytes: 9, name: 'ada', issuer: 'hf' })
    expect(revisions).toEqual({ [revision]: 1, unknown: 4 })
    expect(gaps).toEqual([expect.objectContaining({ reason: 'overflow', count: 7 })])
    expect(more).toBe(0)
  })

  asked('a period has its first moment and not its last, and an environment is one of them', async () => {
    const ask = { ask: 'loads', resource: ranker } as const
    const requests = async (question: object) =>
      (await queryAudit(source(), { ...ask, ...question })).rows.map(({ requestId }) => requestId)
    const first = on(0) + 1
    expect(await requests({ from: first, to: on(1) })).toEqual(['a'])
    expect(await requests({ to: first })).toEqual([])
    expect(await requests({ environment: 'staging' })).toEqual(['d'])
    expect(await requests({ revision })).toEqual(['a'])
    expect(await requests({ revision: 'main' })).toEqual(['a'])
    expect(await requests({ revision: 'v2' })).toEqual([])
  })

  asked('more rows than the limit are counted, the oldest are shown', async () => {
    const { rows, more } = await queryAudit(source(), { ask: 'loads', resource: ranker, limit: 2 })
    expect(rows.map(({ requestId }) => requestId)).toEqual(['a', 'c'])
    expect(more).toBe(3)
  })

  asked('what somebody did has every event of theirs, and those of whoever they acted for', async () => {
    const { rows } = await queryAudit(source(), { ask: 'activity', actor: 'hf|ben' })
    expect(rows.map(({ effect, action, resource }) => [effect, action, resource])).toEqual([
      ['allow', 'read', 'model:acme/other'],
      ['deny', 'write', 'model:acme/ranker'],
      ['allow', 'read', 'model:acme/ranker'],
      [undefined, undefined, 'model:acme/ranker'],
      ['deny', 'write', 'model:acme/other'],
      ['deny', 'admin', 'model:acme/other'],
      ['allow', 'read', 'model:acme/ranker'],
    ])
    expect(rows.at(-1)).toMatchObject({ actedBy: 'hf|ada hf|ben' })
  })

  asked('denials come by reason, most frequent first, and refused credentials are among them', async () => {
    const { rows } = await queryAudit(source(), { ask: 'denials' })
    expect(rows.map(({ reason, count }) => [reason, count])).toEqual([
      ['no_matching_rule', 2],
      ['HFAUTH_TOKEN_EXPIRED', 1],
      ['explicit_deny', 1],
    ])
    expect(rows[0]).toMatchObject({
      actors: 1,
      resources: 2,
      mostActor: 'hf|ben',
      mostResource: 'model:acme/other',
    })
    const { rows: few } = await queryAudit(source(), { ask: 'denials', actor: 'hf|ben', resource: ranker })
    expect(few.map(({ count }) => count)).toEqual([1])
  })

  asked('unused grants are the statements that allowed nothing, beside those that did', async () => {
    const { rows, otherPolicies } = await queryAudit(source(), { ask: 'unused-grants', policy })
    expect(rows).toEqual([
      { statement: writeId, role: 'engineer', uses: 0, actors: 0 },
      expect.objectContaining({ statement: readId, uses: 6, actors: 4 }),
    ])
    expect(otherPolicies).toEqual(['sha256:aaaa'])
  })

  asked('a first access is one that there never was before, also before the period', async () => {
    const { rows } = await queryAudit(source(), { ask: 'first-access', from: on(4) })
    expect(rows.map(({ actor, resource }) => [actor, resource])).toEqual([
      ['hf|ben', 'model:acme/ranker'],
      ['bot', 'model:acme/ranker'],
    ])
  })

  asked('the gaps of the period belong to every answer', async () => {
    const questions = [
      { ask: 'activity', actor: 'nobody there' },
      { ask: 'denials', resource: { kind: 'dataset', id: 'x/y' } },
      { ask: 'first-access', actor: 'nobody there' },
      { ask: 'unused-grants', policy, environment: 'none' },
      { ask: 'loads', resource: { kind: 'model', id: 'x/y' } },
    ] as const
    for (const question of questions) {
      expect((await queryAudit(source(), question)).gaps).toHaveLength(1)
      expect((await queryAudit(source(), { ...question, to: on(3) })).gaps).toHaveLength(0)
    }
  })
})

describe('the index', () => {
  const own = { path: '', remove: () => {} }
  beforeEach(() => void Object.assign(own, createFolder()))
  afterEach(() => own.remove())

  const ask = async (question: Parameters<typeof queryAudit>[1], readAll = false) =>
    queryAudit(auditLogSource(own.path, { readAll }), question)
  const spoil = (number: number) =>
    writeFileSync(join(own.path, `0000000${number}.jsonl.gz`), 'not what it was')

  test('spares the segments that have nothing of what is asked for', async () => {
    await writeSegments(own.path, sixDays())
    expect(readdirSync(join(own.path, 'index'))).toEqual(['00000001.json', '00000002.json'])
    spoil(1)
    expect(await ask({ ask: 'loads', resource: ranker, from: firstDay + 3 * dayMs })).toMatchObject({
      more: 0,
    })
    expect(await ask({ ask: 'activity', actor: 'repo:acme/serving:ref:refs/heads/main' })).toMatchObject({
      rows: [{ resource: 'model:Acme/Ranker' }],
    })
    await expect(ask({ ask: 'activity', actor: 'hf|ada' })).rejects.toMatchObject({
      code: 'HFAUTH_AUDIT_UNREADABLE',
    })
  })

  test('never spares a segment with a gap of the period', async () => {
    await writeSegments(own.path, sixDays())
    await ask({ ask: 'denials' })
    spoil(2)
    await expect(ask({ ask: 'activity', actor: 'hf|ben' })).rejects.toMatchObject({
      code: 'HFAUTH_AUDIT_UNREADABLE',
    })
  })

  /** What somebody would write who wants a question to miss something. */
  const lying = (path: string, change: object) =>
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }))

  test.each<[string, (path: string) => void]>([
    ['is gone', (path) => rmSync(path)],
    ['is broken', (path) => writeFileSync(path, '{"v":1')],
    ['is that of another segment', (path) => cpSync(path.replace('1.json', '2.json'), path)],
    ['has another shape', (path) => lying(path, { types: 0 })],
    ['keeps quiet about a principal', (path) => lying(path, { actors: createBloom(new Set(['hf|ben'])) })],
    ['keeps quiet about a resource', (path) => lying(path, { resources: createBloom(new Set(['x'])) })],
    ['keeps quiet about a kind of event', (path) => lying(path, { types: [] })],
    ['tells other times', (path) => lying(path, { first: 0, last: 1 })],
    ['says that the segment is empty', (path) => writeFileSync(path, '{"v":1,"types":[]}')],
  ])('changes no answer when it %s, and is made again', async (_, damage) => {
    await writeSegments(own.path, sixDays())
    const questions = [
      { ask: 'activity', actor: 'hf|ada' },
      { ask: 'loads', resource: ranker, from: firstDay },
      { ask: 'denials', from: firstDay },
    ] as const
    const path = join(own.path, 'index', '00000001.json')
    const index = readFileSync(path, 'utf8')
    for (const question of questions) {
      const before = await ask(question, true)
      damage(path)
      expect(await ask(question)).toEqual(before)
      expect(readFileSync(path, 'utf8')).toBe(index)
    }
  })

  test('is covered by the chain: one that is named anew is found like a line that was changed', async () => {
    await writeSegments(own.path, sixDays(), { compress: false })
    expect((await verifySegments(own.path)).ok).toBe(true)
    const text = '{"v":1,"types":[]}'
    writeFileSync(join(own.path, 'index', '00000001.json'), text)
    const path = join(own.path, '00000002.jsonl')
    const digest = hash('sha256', text, 'base64url')
    const [first = '', ...others] = readFileLines(path)
    writeFileLines(path, [first.replace(/"index":"[^"]+"/, `"index":"${digest}"`), ...others])
    expect((await verifySegments(own.path)).findings).toMatchObject([{ code: 'record_changed', segment: 2 }])
  })

  test('is the same whether the writer makes it, a writer that was started again, or whoever asks', async () => {
    const segments = sixDays()
    await writeSegments(own.path, segments)
    const [one, two] = ['00000001.json', '00000002.json'].map((name) =>
      readFileSync(join(own.path, 'index', name), 'utf8'),
    )
    const again = createFolder()
    // Every event by a writer of its own.
    for (const [at, events] of segments.entries()) {
      for (const event of events) await writeSegments(again.path, [[event]], { compress: false })
      if (at < 2) await writeSegments(again.path, [[], []], { compress: false })
    }
    rmSync(join(again.path, 'index', '00000001.json'))
    await queryAudit(auditLogSource(again.path), { ask: 'denials' })
    expect(readFileSync(join(again.path, 'index', '00000001.json'), 'utf8')).toBe(one)
    expect(readFileSync(join(again.path, 'index', '00000002.json'), 'utf8')).toBe(two)
    again.remove()
  })

  test('of a segment that was changed is not made', async () => {
    await writeSegments(own.path, sixDays(), { compress: false })
    rmSync(join(own.path, 'index'), { recursive: true })
    const path = join(own.path, '00000001.jsonl')
    writeFileLines(
      path,
      readFileLines(path).map((line) => line.replaceAll('hf|ada', 'hf|eve')),
    )
    expect((await ask({ ask: 'activity', actor: 'hf|eve' })).rows).toHaveLength(2)
    expect(readdirSync(join(own.path, 'index'))).toEqual(['00000002.json'])
  })

  test('is not kept of a segment with more principals than it could tell apart', async () => {
    const builder = createIndexBuilder()
    const make = eventMaker()
    const event = make({})
    for (let i = 0; i <= 50_000; i++) builder.add({ ...event, actor: { ...event.actor, id: `user ${i}` } })
    expect(builder.build()).toBeUndefined()
  })

  test('goes with its segment', async () => {
    const sink = await segmentSink({
      directory: own.path,
      key,
      writer: 'writer-1',
      retainDays: 1,
      now: () => firstDay + 9 * dayMs,
    })
    const [events = []] = sixDays()
    await sink.writeAll(events)
    await sink.rotate()
    await sink.close()
    const later = await segmentSink({
      directory: own.path,
      key,
      retainDays: 1,
      now: () => firstDay + 20 * dayMs,
    })
    await later.rotate()
    await later.close()
    expect(readdirSync(join(own.path, 'index'))).not.toContain('00000001.json')
  })

  test('is not needed where it cannot be written', async () => {
    await writeSegments(own.path, sixDays())
    rmSync(join(own.path, 'index'), { recursive: true })
    writeFileSync(join(own.path, 'index'), 'a file where the folder should be')
    expect((await ask({ ask: 'activity', actor: 'hf|ben' })).rows).toHaveLength(7)
  })

  test('is neither read nor written when everything is to be read', async () => {
    await writeSegments(own.path, sixDays())
    rmSync(join(own.path, 'index'), { recursive: true })
    expect((await ask({ ask: 'activity', actor: 'hf|ben' }, true)).rows).toHaveLength(7)
    expect(readdirSync(own.path)).not.toContain('index')
  })

  test('answers are those of reading everything, whatever the log and the question', async () => {
    const by = fc.constantFrom('ada', 'ben', 'ci', 'nobody')
    const id = fc.constantFrom('acme/ranker', 'Acme/Ranker', 'acme/b', 'acme/c')
    const seeds = fc.array(
      fc.array(fc.record({ by, id, day: fc.nat(9), isGap: fc.nat(20).map((n) => n === 0) }), {
        maxLength: 6,
      }),
      { minLength: 1, maxLength: 5 },
    )
    await fc.assert(
      fc.asyncProperty(seeds, by, id, fc.nat(9), async (segments, actor, resource, day) => {
        const path = join(
          own.path,
          String(Math.abs(fc.hash(JSON.stringify([segments, actor, resource, day])))),
        )
        mkdirSync(path, { recursive: true })
        const make = eventMaker()
        await writeSegments(
          path,
          segments.map((events) =>
            events.map(({ by, id, day, isGap }) =>
              make(
                isGap
                  ? { type: 'io.hfauth.audit.gap', day }
                  : {
                      by: by as 'ada',
                      day,
                      action: 'read',
                      resource: { kind: 'model', id },
                      decision: decided('allow', 'allowed'),
                    },
              ),
            ),
          ),
          { compress: false },
        )
        const from = firstDay + day * dayMs
        for (const question of [
          { ask: 'activity', actor: make({ by: actor as 'ada' }).actor.id, from },
          { ask: 'loads', resource: { kind: 'model', id: resource }, to: from + 1 },
          { ask: 'first-access', from },
        ] as const) {
          const whole = await queryAudit(auditLogSource(path, { readAll: true }), question)
          expect(await queryAudit(auditLogSource(path), question)).toEqual(whole)
          rmSync(join(path, 'index'), { recursive: true, force: true })
          // The second time with the index that the first time made.
          expect(await queryAudit(auditLogSource(path), question)).toEqual(whole)
          expect(await queryAudit(auditLogSource(path), question)).toEqual(whole)
        }
        rmSync(path, { recursive: true })
      }),
      { numRuns: 25 },
    )
  })
})

describe('a question that cannot be', () => {
  const nothing: AuditSource = { async *events() {} }
  test.each([
    [{ ask: 'everything' }, /`ask` must be/],
    [{ ask: 'denials', from: 2, to: 2 }, /`from` must be before `to`/],
    [{ ask: 'denials', from: Number.NaN }, /must be milliseconds/],
    [{ ask: 'activity', actor: 'x', limit: 0 }, /`limit` must be/],
    [{ ask: 'activity', actor: 'x', limit: 1e9 }, /`limit` must be/],
  ])('%j is an error of configuration', async (question, message) => {
    await expect(queryAudit(nothing, question as never)).rejects.toThrow(message)
  })

  const whole = { seq: 1, type: 'io.hfauth.decision', time: '2026-01-01T00:00:00.000Z', requestId: 'r' }
  const actor = { kind: 'user', id: 'hf|ada', issuer: 'hf', roles: [] }
  const halves: readonly object[] = [
    whole,
    { ...whole, actor: null },
    { ...whole, actor: { ...actor, id: 7 } },
    { ...whole, actor: { ...actor, actedBy: 'hf|ben' } },
    { ...whole, actor, time: 'yesterday' },
    { ...whole, actor, resource: { kind: 'model' } },
    { ...whole, actor, decision: { effect: 'allow', reason: 'allowed', policy: 'p' } },
  ]
  test.each(halves)('of a log with %j is an error, whatever is asked', async (half) => {
    const path = join(folder.path, 'halves.jsonl')
    writeFileSync(path, `${JSON.stringify(half)}\n`)
    const table = { query: async () => ({ rows: [{ time: '', id: '', event: JSON.stringify(half) }] }) }
    for (const source of [auditLogSource(path), postgresAuditSource({ client: table })]) {
      for (const question of [
        { ask: 'activity', actor: 'hf|ada' },
        { ask: 'loads', resource: ranker },
        { ask: 'denials' },
        { ask: 'first-access' },
        { ask: 'unused-grants', policy },
      ] as const)
        await expect(queryAudit(source, question)).rejects.toMatchObject({ code: 'HFAUTH_AUDIT_UNREADABLE' })
    }
  })

  test('a log that is not there is told from one that is empty', async () => {
    const source = auditLogSource(join(folder.path, 'nowhere'))
    await expect(queryAudit(source, { ask: 'denials' })).rejects.toMatchObject({
      code: 'HFAUTH_AUDIT_UNREADABLE',
    })
  })
})

describe('CSV', () => {
  test('no cell begins as a formula does, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('=', '+', '-', '@', '|', '%', '\t', '\r', '\n', ' ', '"', ',', 'a', '＝'),
        }),
        (text) => {
          const [, cell = ''] = toCsv([{ x: text }]).split(/^"x"\r\n/)
          const inside = cell.slice(1, -3).replaceAll('""', '"')
          expect(cell.startsWith('"') && cell.endsWith('"\r\n')).toBe(true)
          expect(inside === text || inside === `'${text}`).toBe(true)
          return !/^[\s]*[=+\-@|%＝]/.test(inside) && !/^[\t\r\n]/.test(inside)
        },
      ),
    )
  })

  test('columns are those of all rows, numbers stay numbers', () => {
    expect(toCsv([{ a: 'x', n: -1 }, { b: 'say "no", thanks' }])).toBe(
      '"a","n","b"\r\n"x",-1,\r\n,,"say ""no"", thanks"\r\n',
    )
  })
})
