/**
 * Reports: the numbers of a period, the page made of them, and that nothing from a log can become markup.
 */
import { type Policy, parsePolicy } from '@hfauth/core'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type AuditReport,
  type AuditSource,
  buildAuditReport,
  createAuditLog,
  createRevocationIntake,
  createRevocations,
  memorySink,
  type PersonalDataRules,
  policyDiff,
  type RecordedEvent,
  renderAuditReport,
  verifySegments,
} from '../../src/index.ts'
import {
  dayMs,
  decided,
  type EventOf,
  eventMaker,
  firstDay,
  ranker,
  revision,
  writeSegments,
} from './event-fixture.ts'
import { createFolder } from './segment-fixture.ts'

const policyWith = (on: string) =>
  parsePolicy({
    version: 1,
    name: 'acme',
    issuers: { hf: { preset: 'huggingface', audience: 'app' } },
    environments: { production: {} },
    roles: {
      engineer: {
        allow: [
          { actions: ['read'], on: ['model:acme/*'] },
          { actions: ['write'], on: [on] },
        ],
      },
    },
    bindings: [{ roles: ['engineer'], to: { issuer: 'hf' } }],
  })
const before = policyWith('model:acme/*')
const after = policyWith('model:acme/ranker')
const [readId = '', writeId = ''] = after.roles.get('engineer')?.statements.map(({ id }) => id) ?? []

/** As the policy has it, by its preset. */
const hub = 'https://huggingface.co'

const sourceOf = (events: readonly RecordedEvent[]): AuditSource => ({
  async *events({ to = Number.POSITIVE_INFINITY }) {
    for (const event of events) if (Date.parse(event.time) < to) yield event
  },
})

const under = (policy: typeof before, effect: 'allow' | 'deny' = 'allow') => ({
  ...decided(effect, effect === 'allow' ? 'allowed' : 'no_matching_rule', effect === 'allow' ? [readId] : []),
  policy: policy.reference.digest,
})

function events(): RecordedEvent[] {
  const make = eventMaker()
  const secret = { kind: 'secret', id: 'client' } as const
  const rows: EventOf[] = [
    { type: 'io.hfauth.secret.rotated', resource: secret },
    { day: 10, decision: under(before), action: 'read', resource: ranker },
    { day: 11, type: 'io.hfauth.session.started', by: 'ben' },
    { day: 11, by: 'ben', decision: under(before, 'deny'), action: 'write', resource: ranker },
    {
      day: 12,
      type: 'io.hfauth.model.load',
      resource: { ...ranker, revision: 'main', commit: revision },
      http: { method: 'GET', route: '/r', bytesOut: 2e6 },
    },
    {
      day: 12,
      type: 'io.hfauth.model.load',
      resource: ranker,
      http: { method: 'GET', route: '/r', bytesOut: 1e6 },
    },
    { day: 20, decision: under(after), action: 'read', resource: ranker },
    {
      day: 21,
      type: 'io.hfauth.revocation.received',
      revocation: { door: 'admin', by: 'subject', issuer: hub, target: 'ben', latencyMs: 40 },
    },
    { day: 22, by: 'ben', decision: under(after), action: 'read', resource: ranker, requestId: 'after-all' },
    { day: 23, type: 'io.hfauth.session.started', by: 'ben' },
    { day: 24, by: 'ben', decision: under(after), action: 'read', resource: ranker },
    {
      day: 25,
      type: 'io.hfauth.revocation.received',
      revocation: { door: 'set-push', by: 'session', target: 's', latencyMs: 90 },
    },
    { day: 26, type: 'io.hfauth.audit.gap', loss: { reason: 'overflow', count: 5 } },
    { day: 27, type: 'io.hfauth.secret.aging', resource: secret },
  ]
  const made = rows.map(make)
  // One that nobody tells is missing.
  return made.filter(({ seq }) => seq !== 7)
}

const period = { from: firstDay + 5 * dayMs, to: firstDay + 30 * dayMs, now: () => firstDay + 31 * dayMs }

describe('a report', () => {
  let report: AuditReport
  beforeAll(async () => {
    report = await buildAuditReport(sourceOf(events()), {
      ...period,
      policies: [before, after],
      organisation: 'Acme',
    })
  })

  test('counts the period and nothing before it', () => {
    expect(report.totals).toEqual({ events: 12, allowed: 3, denied: 1, principals: 2, signIns: 2, lost: 5 })
    expect(report.days).toHaveLength(25)
    expect(report.days.find(({ day }) => day === '2026-01-12')).toEqual({
      day: '2026-01-12',
      allowed: 0,
      denied: 1,
    })
    expect(report.from).toBe('2026-01-06T00:00:00.000Z')
  })

  test('reviews who has access and when they last used it', () => {
    expect(report.access).toMatchObject([
      { actor: 'hf|ben', roles: ['viewer'], allowed: 2, denied: 1, resources: 1 },
      { actor: 'hf|ada', roles: ['engineer'], allowed: 1 },
    ])
  })

  test('tells grants that nobody used', () => {
    expect(report.grants).toMatchObject([
      { statement: writeId, uses: 0 },
      { statement: readId, uses: 3 },
    ])
  })

  test('shows each policy that was in force, and what it changed', () => {
    expect(report.policies.map(({ digest, decisions }) => [digest, decisions])).toEqual([
      [before.reference.digest, 2],
      [after.reference.digest, 2],
    ])
    expect(report.policies[1]?.diff).toEqual({
      added: ['roles.engineer.allow: {"actions":["write"],"on":["model:acme/ranker"]}'],
      removed: ['roles.engineer.allow: {"actions":["write"],"on":["model:acme/*"]}'],
    })
  })

  test('knows how old secrets are also when they were changed before the period', () => {
    expect(report.secrets).toEqual([
      { secret: 'secret:client', rotations: 0, warnings: 1, lastRotation: events()[0]?.time, ageDays: 29 },
    ])
  })

  test('measures revocations, and finds who got through after one and before signing in again', () => {
    const { count, latency, usedAfter } = report.revocations
    expect(count).toBe(2)
    expect(latency).toEqual({ median: 90, p95: 90, max: 90, known: 2 })
    expect(usedAfter.map(({ actor, requestId }) => [actor, requestId])).toEqual([['hf|ben', 'after-all']])
  })

  test.each<[string, PersonalDataRules]>([
    ['as they are', {}],
    ['as digests', { subject: 'hash', hashKey: new Uint8Array(32).fill(7) }],
  ])(
    'finds them by what the intake and the guard have put on record, with ids %s',
    async (_, personalData) => {
      const sink = memorySink()
      const audit = createAuditLog({ sink, environment: 'e', service: 's', personalData, now: () => clock })
      let clock = firstDay
      const revocations = createRevocations({ now: () => clock })
      const intake = createRevocationIntake({ revocations, audit, now: () => clock })
      const use = async (alias: string, requestId: string) => {
        clock += 1000
        const actor = { kind: 'user', id: `${alias}|ben`, issuer: alias, roles: [] } as const
        await audit.record({ type: 'io.hfauth.decision', requestId, actor, decision: under(before) })
      }
      await use('hf', 'before')
      await intake.revoke({ by: 'subject', issuer: hub, subject: 'ben' })
      await use('hf', 'after')
      await use('other', 'of another issuer')
      const found = async (from: number, policies: readonly Policy[]) => {
        const made = await buildAuditReport(sourceOf(sink.events), { from, to: from + dayMs, policies })
        return made.revocations.usedAfter.map(({ requestId }) => requestId)
      }
      expect(await found(firstDay, [before])).toEqual(['after'])
      // Without a policy nobody knows which alias an address has: rather one too many than one too few.
      expect(await found(firstDay, [])).toEqual(['after', 'of another issuer'])
      // Also when the revocation was before the period.
      expect(await found(firstDay + 1500, [before])).toEqual(['after'])
    },
  )

  test('tells loads whose revision is not known', () => {
    expect(report.loads).toEqual([
      { resource: 'model:acme/ranker', loads: 2, actors: 1, bytes: 3e6, revisions: 1, unpinned: 1 },
    ])
  })

  test('finds gaps that the trail tells, and numbers that are missing without a word', () => {
    expect(report.gaps).toMatchObject([{ reason: 'overflow', count: 5 }])
    expect(report.writers).toEqual([{ writer: 'writer-1', first: 2, last: 14, events: 12, missing: 1 }])
    expect(renderAuditReport(report)).toContain('Events missing from the trail: 6.')
  })

  test.each([[{ from: 2, to: 2 }], [{ from: Number.NaN, to: 2 }], [{ from: 0, to: 1e13 }]])(
    'cannot be made of %j',
    async (wrong) => {
      await expect(buildAuditReport(sourceOf([]), wrong)).rejects.toMatchObject({
        code: 'HFAUTH_CONFIG_INVALID',
      })
    },
  )
})

describe('a page', () => {
  test('of nothing says that there is nothing', async () => {
    const page = renderAuditReport(await buildAuditReport(sourceOf([]), period))
    expect(page).toContain('No event of the period is known to be missing.')
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
  })

  test('ties every part to criteria', async () => {
    const page = renderAuditReport(
      await buildAuditReport(sourceOf(events()), { ...period, policies: [before, after] }),
    )
    const parts = page.split('<section>').slice(1)
    expect(parts).toHaveLength(9)
    for (const part of parts) expect(part).toMatch(/<li><b>(?:CC|PI)\d\.\d<\/b>/)
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
  })

  test('says what checking the chain came to', async () => {
    const folder = createFolder()
    await writeSegments(folder.path, [events().slice(0, 6)], { compress: false })
    const integrity = await verifySegments(folder.path)
    const page = renderAuditReport(await buildAuditReport(sourceOf(events()), { ...period, integrity }))
    folder.remove()
    expect(page).toContain('The chain of 6 events is whole')
    expect(page).toContain('which prove nothing by themselves')
    const broken = {
      ...integrity,
      ok: false,
      findings: [{ code: 'record_changed', segment: 1, line: 3, message: 'line 3 was changed' }],
    } as const
    const other = renderAuditReport(
      await buildAuditReport(sourceOf(events()), { ...period, integrity: broken }),
    )
    expect(other).toContain('The trail is not what was written')
    expect(other).toContain('line 3 was changed')
  })

  test('has no markup, attribute or script from the log, whatever is in it', async () => {
    const hostile = fc.string({
      unit: fc.constantFrom(
        '<',
        '>',
        '"',
        "'",
        '&',
        '/',
        '=',
        ' ',
        'script',
        'onload',
        '${',
        '`',
        '\u202e',
        '\0',
        'a',
      ),
      minLength: 1,
      maxLength: 12,
    })
    // Of the page without anything hostile, with letters where that would stand.
    const skeleton = (page: string) =>
      [...page.matchAll(/<(\/?[a-z0-9!]+)((?:\s+[a-z-]+="[^"]*")*)\s*\/?>/gi)].map(
        ([, tag, attributes = '']) =>
          `${tag} ${[...attributes.matchAll(/([a-z-]+)="/gi)].map(([, name]) => name)}`,
      )
    const pageWith = async (text: string) => {
      const make = eventMaker()
      const all = [
        make({
          actor: { kind: 'user', id: text, issuer: text, name: text, roles: [text] },
          action: text,
          resource: { kind: text, id: text },
          decision: { effect: 'deny', reason: text, statements: [text], policy: `${text}1` },
        }),
        make({ type: 'io.hfauth.model.load', resource: { kind: text, id: text, revision: text } }),
        make({ type: 'io.hfauth.secret.rotated', resource: { kind: text, id: text } }),
        make({
          type: 'io.hfauth.revocation.received',
          revocation: { door: text, by: 'subject', target: text, latencyMs: 1 },
        }),
        make({ type: 'io.hfauth.audit.gap', loss: { reason: text as 'torn', count: 1 } }),
      ].map((event) => ({ ...event, writer: text }))
      return renderAuditReport(
        await buildAuditReport(sourceOf(all), { ...period, from: firstDay, organisation: text }),
      )
    }
    const plain = skeleton(await pageWith('a'))
    expect(plain.length).toBeGreaterThan(100)
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const page = await pageWith(text)
        expect(skeleton(page)).toEqual(plain)
        expect(page.match(/</g)).toHaveLength((await pageWith('a')).match(/</g)?.length ?? 0)
        expect(page).not.toMatch(/[\0\u202e]/)
      }),
      { numRuns: 50 },
    )
  })

  test('loads nothing and runs nothing', async () => {
    const page = renderAuditReport(await buildAuditReport(sourceOf(events()), period))
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
    expect(page).not.toMatch(/<script|<link|<img|\ssrc=|\shref=|url\(|@import|https?:/)
  })
})

describe('a difference between policies', () => {
  test('is none where only the order differs', () => {
    const document = before.document
    const turned = parsePolicy({
      ...document,
      roles: { engineer: { allow: [...(document.roles?.engineer?.allow ?? [])].reverse() } },
    } as never)
    expect(policyDiff(before, turned)).toEqual({ added: [], removed: [] })
  })

  const policyWith = (parts: object) =>
    parsePolicy({
      version: 1,
      name: 'acme',
      issuers: { idp: { preset: 'oidc', issuer: 'https://id.acme.dev', audience: 'app' } },
      environments: { production: {} },
      roles: {},
      bindings: [],
      ...parts,
    } as never)

  test.each<[string, object, object]>([
    [
      'the keys and the sets of a statement',
      {
        deny: [{ actions: ['read', 'write'], on: ['model:a/*', 'model:b/*'], environments: ['production'] }],
      },
      {
        deny: [{ environments: ['production'], on: ['model:b/*', 'model:a/*'], actions: ['write', 'read'] }],
      },
    ],
    [
      'the keys and the sets of a binding',
      {
        roles: { a: {}, b: {} },
        bindings: [{ roles: ['a', 'b'], to: { issuer: 'idp', group: ['x', 'y'] } }],
      },
      {
        roles: { b: {}, a: {} },
        bindings: [{ to: { group: ['y', 'x'], issuer: 'idp' }, roles: ['b', 'a'] }],
      },
    ],
    ['what is left out and what is empty', { roles: { a: {} } }, { roles: { a: { allow: [] } }, deny: [] }],
  ])('nor in %s', (_, one, other) => {
    const [first, second] = [policyWith(one), policyWith(other)]
    expect(second.reference.digest).toBe(first.reference.digest)
    expect(policyDiff(first, second)).toEqual({ added: [], removed: [] })
  })

  test('and names what is new alone where a section begins', () => {
    expect(policyDiff(policyWith({}), policyWith({ projects: { p: ['model:a/*'] } }))).toEqual({
      added: ['projects.p: "model:a/*"'],
      removed: [],
    })
  })

  test.each<[string, object, object]>([
    ['a role that is given nothing yet', {}, { roles: { a: {} } }],
    [
      'the order of a list that a claim must be',
      { environments: { production: { require: { 'principal.claims.l': { $eq: ['a', 'b'] } } } } },
      { environments: { production: { require: { 'principal.claims.l': { $eq: ['b', 'a'] } } } } },
    ],
  ])('but there is one in %s', (_, one, other) => {
    const { added, removed } = policyDiff(policyWith(one), policyWith(other))
    expect([...added, ...removed]).not.toEqual([])
  })
})
