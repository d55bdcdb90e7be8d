import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Hub, publicAppId, startHub } from '../src/index.ts'

let hub: Hub
beforeEach(async () => {
  hub = await startHub({
    world: { userTokens: [{ token: `hf_${'a'.repeat(34)}`, username: 'ben', role: 'read' }] },
  })
})
afterEach(() => hub.close())

async function get(path: string, token?: string, init: RequestInit = {}) {
  const response = await fetch(hub.url + path, {
    ...init,
    ...(token && { headers: { authorization: `Bearer ${token}` } }),
  })
  return {
    status: response.status,
    code: response.headers.get('x-error-code'),
    message: response.headers.get('x-error-message'),
    text: await response.text(),
  }
}

function tokenFor(username: string, scopes: readonly string[], orgs: readonly string[] = []) {
  return hub.tokenFor({ username, clientId: publicAppId, scopes, orgs })
}

describe('errors', () => {
  test.each([
    ['missing', '/api/models/acme/nothing', 'RepoNotFound'],
    ['private', '/api/models/acme/vision-large', 'RepoNotFound'],
    ['gated', '/acme/vision-gated/resolve/main/config.json', 'GatedRepo'],
  ])('a %s repository is 401 to anonymous callers', async (_, path, code) => {
    expect(await get(path)).toMatchObject({ status: 401, code })
  })

  test('a private repository is 404 without the right to it', async () => {
    const token = await tokenFor('dan', ['read-repos'])
    const answer = await get('/api/models/acme/vision-large', token)
    expect(answer).toMatchObject({ status: 404, code: 'RepoNotFound' })
    expect(answer.text).toBe((await get('/api/models/acme/nothing', token)).text)
  })

  test('a gated repository is 403 without admission, and its description stays open', async () => {
    const token = await tokenFor('dan', ['gated-repos'])
    const path = '/acme/vision-gated/resolve/main/config.json'
    expect(await get(path, token)).toMatchObject({ status: 403, code: 'GatedRepo' })
    expect((await get('/api/models/acme/vision-gated', token)).status).toBe(200)
    hub.repo('acme/vision-gated').admitted = ['dan']
    expect((await get(path, token)).status).toBe(200)
    expect((await get(path, await tokenFor('dan', ['openid']))).status).toBe(403)
  })

  test('members of the organisation pass the gate when it was granted', async () => {
    const path = '/acme/vision-gated/resolve/main/config.json'
    expect((await get(path, await tokenFor('ben', ['read-repos'], ['acme']))).status).toBe(200)
    expect((await get(path, await tokenFor('ben', ['read-repos']))).status).toBe(403)
  })

  test.each([
    ['a file', '/acme/vision-small/resolve/main/nothing.txt', 'EntryNotFound'],
    ['a revision with an odd name', '/api/models/acme/vision-small/revision/%0A%C3%A9', 'RevisionNotFound'],
    ['a revision', '/acme/vision-small/resolve/nothing/config.json', 'RevisionNotFound'],
    ['a folder', '/api/models/acme/vision-small/tree/main/nothing', 'EntryNotFound'],
  ])('%s that is missing is 404 with its code', async (_, path, code) => {
    expect(await get(path)).toMatchObject({ status: 404, code })
  })

  test('a token that is not valid is 401 even where none is needed', async () => {
    expect(await get('/api/models/acme/vision-small', 'hf_oauth_a.b.c')).toMatchObject({
      status: 401,
      message: 'Invalid credentials in Authorization header',
    })
  })

  test('unknown routes are 404 and JSON', async () => {
    const answer = await get('/api/nothing/here')
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.text)).toHaveProperty('error')
  })

  test('Xet is offered to nobody', async () => {
    const token = await tokenFor('ana', ['manage-repos'], ['acme'])
    expect((await get('/api/models/acme/vision-small/xet-read-token/main', token)).status).toBe(404)
    expect((await get('/api/models/acme/vision-small/xet-write-token/main', token)).status).toBe(404)
    expect((await get('/api/models/acme/vision-small/xet-write-token/main')).status).toBe(403)
  })
})

describe('access', () => {
  test('a resource group hides a private repository from members outside it', async () => {
    const group = { id: '64a1f0000000000000000201', name: 'vision', role: 'read' }
    hub.repo('acme/vision-large').resourceGroup = group.id
    const ben = await tokenFor('ben', ['read-repos'], ['acme'])
    const cleo = await tokenFor('cleo', ['read-repos'], ['acme'])
    const path = '/api/models/acme/vision-large'
    expect((await get(path, ben)).status).toBe(404)
    expect((await get(path, cleo)).status).toBe(200)
    hub.person('ben').orgs.acme = { role: 'read', resourceGroups: [group] }
    expect((await get(path, ben)).status).toBe(200)
  })

  test('a person who leaves the organisation loses access at once', async () => {
    const token = await tokenFor('ben', ['read-repos'], ['acme'])
    expect((await get('/api/models/acme/vision-large', token)).status).toBe(200)
    delete hub.person('ben').orgs.acme
    expect((await get('/api/models/acme/vision-large', token)).status).toBe(404)
  })

  test('a user access token reads what its owner may read', async () => {
    const token = `hf_${'a'.repeat(34)}`
    expect((await get('/api/models/acme/vision-large', token)).status).toBe(200)
    expect((await get('/api/models/acme/vision-small/auth-check/write', token)).status).toBe(403)
    expect(JSON.parse((await get('/api/whoami-v2', token)).text)).toMatchObject({
      auth: { type: 'access_token' },
    })
  })

  test('contribute-repos reaches what the same app created', async () => {
    const token = await tokenFor('ana', ['contribute-repos'], ['acme'])
    const create = await fetch(`${hub.url}/api/repos/create`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ name: 'made', organization: 'acme', private: true }),
    })
    expect(create.status).toBe(200)
    expect((await get('/api/models/acme/made/auth-check/write', token)).status).toBe(200)
    expect((await get('/api/models/acme/vision-small/auth-check/write', token)).status).toBe(403)
  })

  test('discussions need their own scope', async () => {
    const open = async (scopes: readonly string[]) =>
      (
        await fetch(`${hub.url}/api/models/acme/vision-small/discussions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${await tokenFor('dan', scopes)}` },
          body: JSON.stringify({ title: 'A question', description: 'Which bolt?' }),
        })
      ).status
    expect(await open(['read-repos'])).toBe(403)
    expect(await open(['write-discussions'])).toBe(200)
    const list = JSON.parse((await get('/api/models/acme/vision-small/discussions')).text)
    expect(list).toMatchObject({
      count: 1,
      discussions: [{ num: 1, title: 'A question', author: { name: 'dan' } }],
    })
  })

  test('a commit built on an old revision is refused', async () => {
    const token = await tokenFor('ana', ['write-repos'], ['acme'])
    const header = {
      key: 'header',
      value: { summary: 'late', description: '', parentCommit: '0'.repeat(40) },
    }
    const response = await fetch(`${hub.url}/api/models/acme/vision-small/commit/main`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
      body: JSON.stringify(header),
    })
    expect(response.status).toBe(412)
  })

  test.each(['../escape.txt', '/absolute.txt', 'a//b.txt', '.git/config'])(
    'a commit to %s is refused',
    async (path) => {
      const token = await tokenFor('ana', ['write-repos'], ['acme'])
      const lines = [
        { key: 'header', value: { summary: 'bad path', description: '' } },
        { key: 'file', value: { path, content: '', encoding: 'base64' } },
      ]
      const response = await fetch(`${hub.url}/api/models/acme/vision-small/commit/main`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: lines.map((line) => JSON.stringify(line)).join('\n'),
      })
      expect(response.status).toBe(400)
    },
  )

  test('a body over the limit is refused', async () => {
    const answer = await get('/api/repos/create', undefined, {
      method: 'POST',
      body: new Uint8Array(10 * 1024 * 1024 + 1),
    })
    expect(answer.status).toBe(413)
  })
})
