/**
 * A replica for tests: a process of its own with a verifier, its memory, and revocations through Redis.
 *
 * Reads one JSON message after another from its parent, `{ id, token }` or `{ id, revoke }`, and answers each.
 *
 * @module
 */
import { parsePolicy } from '@hfauth/core'
import { createClient } from 'redis'
import { createRevocations, createVerifier } from '../src/index.ts'
import { redisRevocationFeed } from '../src/redis.ts'
import { unrecorded } from '../src/revoke/unrecorded.ts'

const { issuerUrl, redisUrl, key } = JSON.parse(process.argv[2] ?? '{}')
const client = await createClient({ url: redisUrl }).connect()
const revocations = createRevocations({ feed: redisRevocationFeed({ client, key }) })
await revocations.ready()
const policy = parsePolicy({
  version: 1,
  name: 'test',
  issuers: { idp: { preset: 'oidc', issuer: issuerUrl, audience: 'app-1' } },
  environments: { production: {} },
  roles: {},
  bindings: [],
})
const verifier = createVerifier({ policy, revocations, cacheSeconds: 3600 })

process.on('message', async (message: { id: number; token?: string; revoke?: never }) => {
  const { id, token, revoke } = message
  try {
    if (revoke !== undefined) await revocations[unrecorded](revoke)
    else await verifier.verify(token ?? '')
    process.send?.({ id, answer: 'yes', at: Date.now() })
  } catch (error) {
    process.send?.({ id, answer: (error as { code?: string }).code ?? 'fault', at: Date.now() })
  }
})
process.on('disconnect', () => process.exit(0))
process.send?.({ id: 0, answer: 'ready', at: Date.now() })
