/**
 * Session worker: one replica of a service, in a process of its own, for the tests that need two.
 *
 * Answers each message with an access token's digest and the person's name, or with the code of the error.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import { publicAppId } from '@hfauth/testkit'
import { createClient } from 'redis'
import { redisSessionStore } from '../src/redis.ts'
import { Browser, cookieName, createService } from './session-fixture.ts'

const [hubUrl = '', redisUrl = '', prefix = '', offsetMs = '0'] = process.argv.slice(2)
const now = () => Date.now() + Number(offsetMs)

const client = createClient({ url: redisUrl })
client.on('error', () => {})
await client.connect()
const { sessions } = createService({
  now,
  issuers: { hf: { preset: 'huggingface', issuer: hubUrl, audience: publicAppId } },
  store: redisSessionStore(client, { prefix }),
})

process.on('message', async ({ id, cookie }: { id: number; cookie: string }) => {
  const request = new Browser(sessions, [[cookieName, cookie]]).request('/')
  try {
    const access = await sessions.accessToken(request)
    const session = await sessions.load(request)
    const digest = access && hash('sha256', access.token, 'hex')
    process.send?.({ id, digest, username: session?.principal.username })
  } catch (error) {
    process.send?.({ id, error: error instanceof HfAuthError ? error.code : 'other' })
  }
})
process.send?.({ ready: true })
