/** Client ids that are the address of a document, as Hugging Face takes them. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Hub, startHub } from '../src/index.ts'
import { createAppClient, redirectUri } from './app-client.ts'

let hub: Hub
let server: Server
let address: string
let document: Record<string, unknown>
let fetched: number

beforeAll(async () => {
  hub = await startHub()
  server = createServer((_, res) => {
    fetched += 1
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
  })
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
})

afterAll(async () => {
  server?.close()
  await hub?.close()
})

let count = 0
beforeEach(() => {
  fetched = 0
  count += 1
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/client-${count}.json`
  document = {
    client_id: address,
    client_name: 'Documented',
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
  }
})

describe('a client id that is an address', () => {
  test('signs in as the app that the document describes, fetched once', async () => {
    const app = await createAppClient(hub, address)
    const tokens = await app.redeem(await app.authorize())
    expect(tokens.access_token).toMatch(/^hf_oauth_/)
    expect(fetched).toBe(1)
  })

  test.each([
    ['names another id', { client_id: 'http://127.0.0.1/other' }],
    ['has no redirect address', { redirect_uris: [] }],
    ['wants a secret', { token_endpoint_auth_method: 'client_secret_basic' }],
  ])('is unknown when the document %s', async (_, wrong) => {
    Object.assign(document, wrong)
    const app = await createAppClient(hub, address)
    await expect(app.authorize()).rejects.toThrow()
    expect(fetched).toBeGreaterThan(0)
  })

  test('is never fetched from another machine', async () => {
    const app = await createAppClient(hub, 'https://app.invalid/client.json')
    await expect(app.authorize()).rejects.toThrow()
    expect(fetched).toBe(0)
  })
})
