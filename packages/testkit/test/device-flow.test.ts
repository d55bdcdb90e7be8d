import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { confidentialAppId, type Hub, publicAppId, startHub } from '../src/index.ts'
import { postToken, readAnswer, readUserinfo } from './app-client.ts'

let hub: Hub
let nowMs = Date.now()
beforeAll(async () => {
  hub = await startHub({ now: () => nowMs })
})
afterAll(() => hub.close())

async function start(form: Record<string, string> = { client_id: publicAppId, scope: 'openid profile' }) {
  return readAnswer(
    await fetch(`${hub.url}/oauth/device`, { method: 'POST', body: new URLSearchParams(form) }),
  )
}

function poll(deviceCode: unknown) {
  return postToken(hub, {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: String(deviceCode),
    client_id: publicAppId,
  })
}

describe('device flow', () => {
  test('answers with four members and no more', async () => {
    const { status, body } = await start()
    expect(status).toBe(200)
    expect(body).toEqual({
      device_code: expect.any(String),
      user_code: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/),
      verification_uri: `${hub.url}/oauth/device`,
      expires_in: 300,
    })
  })

  test('accepts a JSON body', async () => {
    const response = await fetch(`${hub.url}/oauth/device`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_id: publicAppId, scope: 'openid' }),
    })
    expect(response.status).toBe(200)
  })

  test('stays pending until the person approves, then gives tokens once', async () => {
    const { body } = await start()
    expect(await poll(body.device_code)).toMatchObject({
      status: 400,
      body: { error: 'authorization_pending' },
    })
    await hub.approveDevice({ userCode: String(body.user_code), username: 'ana' })
    const tokens = await poll(body.device_code)
    expect(tokens.body).toMatchObject({ token_type: 'bearer', scope: 'openid profile' })
    expect(tokens.body.refresh_token).toMatch(/^hf_oauth__refresh_/)
    expect((await readUserinfo(hub, String(tokens.body.access_token))).body).toMatchObject({
      preferred_username: 'ana',
    })
    expect(await poll(body.device_code)).toMatchObject({ body: { error: 'invalid_grant' } })
  })

  test('asks for consent each time, and Cancel is told to the device', async () => {
    const first = await start()
    await hub.approveDevice({ userCode: String(first.body.user_code), username: 'ana' })
    const second = await start()
    await hub.approveDevice({ userCode: String(second.body.user_code), username: 'ana', deny: true })
    expect(await poll(second.body.device_code)).toMatchObject({
      status: 400,
      body: { error: 'access_denied' },
    })
  })

  test('refuses a code nobody was given', async () => {
    await expect(hub.approveDevice({ userCode: 'BBBB-BBBB', username: 'ana' })).rejects.toThrow(/wrong/)
  })

  test('a code ends after five minutes', async () => {
    const { body } = await start()
    nowMs += 301_000
    expect(await poll(body.device_code)).toMatchObject({ status: 400, body: { error: 'expired_token' } })
  })

  test('an app with a secret must use it', async () => {
    expect(await start({ client_id: confidentialAppId })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    })
  })
})
