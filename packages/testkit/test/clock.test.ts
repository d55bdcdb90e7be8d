import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { publicAppId, startHub } from '../src/index.ts'
import { createAppClient, postToken, readUserinfo } from './app-client.ts'

test('tokens live and die by the clock that was passed in', async () => {
  let nowMs = Date.UTC(2031, 0, 1)
  const hub = await startHub({ now: () => nowMs })
  try {
    const app = await createAppClient(hub)
    const callback = await app.authorize()
    const answer = await postToken(hub, {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: 'http://127.0.0.1:5173/callback',
      client_id: publicAppId,
      code_verifier: app.verifier,
    })
    const { access_token, id_token, refresh_token } = answer.body as Record<string, string>
    expect(Math.abs((decodeJwt(id_token ?? '').iat ?? 0) - nowMs / 1000)).toBeLessThan(5)
    expect((await readUserinfo(hub, access_token ?? '')).status).toBe(200)

    nowMs += 8 * 3600 * 1000 + 5000
    expect((await readUserinfo(hub, access_token ?? '')).status).toBe(401)
    const form = { grant_type: 'refresh_token', client_id: publicAppId, refresh_token: refresh_token ?? '' }
    const refreshed = await postToken(hub, form)
    expect((await readUserinfo(hub, String(refreshed.body.access_token))).status).toBe(200)

    nowMs += 91 * 86_400 * 1000
    const late = { ...form, refresh_token: String(refreshed.body.refresh_token) }
    expect(await postToken(hub, late)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  } finally {
    await hub.close()
  }
})
