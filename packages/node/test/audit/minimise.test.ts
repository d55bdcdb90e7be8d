import { describe, expect, test } from 'vitest'
import { type AuditEntry, createAuditLog, memorySink, type PersonalDataRules } from '../../src/index.ts'

const hashKey = new Uint8Array(32).fill(7)
const entry: AuditEntry = {
  type: 'io.hfauth.revocation.received',
  requestId: 'r-1',
  actor: { kind: 'user', id: 'hf|64a1', issuer: 'hf', name: 'ana', roles: ['viewer'], actedBy: ['hf|bot'] },
  client: { ip: '192.0.2.17', userAgent: 'curl/8' },
  revocation: { door: 'admin', by: 'subject', issuer: 'https://huggingface.co', target: '64a1' },
}

async function recorded(personalData: PersonalDataRules, changes: Partial<AuditEntry> = {}) {
  const log = createAuditLog({ sink: memorySink(), environment: 'e', service: 's', personalData })
  return log.record({ ...entry, ...changes })
}

describe('of a person', () => {
  test('everything that an event has a place for is kept when no rule says otherwise', async () => {
    expect(await recorded({})).toMatchObject(entry)
  })

  test('a digest stands for the subject wherever it is named, and the same one each time', async () => {
    const { actor, revocation } = await recorded({ subject: 'hash', hashKey })
    expect(actor.id).toMatch(/^hf\|h1:[0-9a-f]{32}$/)
    expect(`hf|${revocation?.target}`).toBe(actor.id)
    expect(actor.actedBy).toHaveLength(1)
    expect(actor.actedBy?.[0]).not.toBe(actor.id)
    expect((await recorded({ subject: 'hash', hashKey })).actor.id).toBe(actor.id)
    const other = await recorded({ subject: 'hash', hashKey: new Uint8Array(32).fill(8) })
    expect(other.actor.id).not.toBe(actor.id)
  })

  test('name, address and user agent are dropped, or stand there as digests', async () => {
    const dropped = await recorded({ name: 'drop', ip: 'drop', userAgent: 'drop' })
    expect(dropped.actor).not.toHaveProperty('name')
    expect(dropped.client).toEqual({})
    const hashed = await recorded({ name: 'hash', ip: 'hash', userAgent: 'hash', hashKey })
    const digest = expect.stringMatching(/^h1:[0-9a-f]{32}$/)
    expect([hashed.actor.name, hashed.client]).toEqual([digest, { ip: digest, userAgent: digest }])
    expect(JSON.stringify(hashed)).not.toMatch(/"ana"|192\.0\.2\.17|curl/)
  })

  test.each([
    ['192.0.2.17', '192.0.2.0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
    ['2001:db8::1', '2001:db8:0::'],
    ['2001::5:6:7:8:9:a', '2001:0:5::'],
    ['::1', '0:0:0::'],
    ['fe80::1%eth0', 'fe80:0:0::'],
    ['::ffff:192.0.2.17', '::ffff:192.0.2.0'],
    ['64:ff9b::192.0.2.17', '64:ff9b:0::'],
  ])('the address %s is cut to the network %s', async (ip, network) => {
    expect((await recorded({ ip: 'truncate' }, { client: { ip } })).client?.ip).toBe(network)
  })

  test('what is no address is dropped where addresses are cut', async () => {
    expect((await recorded({ ip: 'truncate' }, { client: { ip: 'ana@acme.dev' } })).client).toEqual({})
  })

  test('nothing changes about a workload, which is none', async () => {
    const actor = { kind: 'workload', id: 'repo:acme/x', issuer: 'ci', name: 'deploy', roles: [] } as const
    const event = await recorded({ subject: 'hash', name: 'drop', hashKey }, { actor })
    expect(event.actor).toEqual(actor)
  })
})

test.each([
  ['a digest without a key', { subject: 'hash' }],
  ['a digest with a short key', { ip: 'hash', hashKey: new Uint8Array(16) }],
  ['a rule that there is not', { name: 'forget' }],
  ['a cut of what is no address', { name: 'truncate' }],
])('%s is refused', (_, personalData) => {
  expect(() =>
    createAuditLog({
      sink: memorySink(),
      environment: 'e',
      service: 's',
      personalData: personalData as PersonalDataRules,
    }),
  ).toThrow(expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }))
})
