import * as client from '@huggingface/hub'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Hub, publicAppId, startHub } from '../src/index.ts'

/** The official client, unmodified, pointed at the testkit. */

let hub: Hub
beforeEach(async () => {
  hub = await startHub()
})
afterEach(() => hub.close())

const allScopes = ['openid', 'profile', 'email', 'manage-repos', 'write-discussions']

async function as(
  username: string,
  scopes: readonly string[] = allScopes,
  orgs: readonly string[] = ['acme'],
) {
  const accessToken = await hub.tokenFor({ username, clientId: publicAppId, scopes, orgs })
  return { hubUrl: hub.url, accessToken }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const anonymous = () => ({ hubUrl: hub.url })

test('signs in through the official client alone', async () => {
  const memory: { codeVerifier?: string; nonce?: string } = {}
  const loginUrl = await client.oauthLoginUrl({
    hubUrl: hub.url,
    clientId: publicAppId,
    scopes: 'openid profile read-repos',
    redirectUrl: 'http://localhost:5173/callback',
    state: 'deep link',
    localStorage: memory,
  })
  const redirectedUrl = await hub.signIn({ authorizationUrl: loginUrl, username: 'ana', grantOrgs: ['acme'] })
  const result = await client.oauthHandleRedirect({ hubUrl: hub.url, redirectedUrl, ...memory })
  expect(result).toMatchObject({
    scope: 'openid profile read-repos',
    state: 'deep link',
    userInfo: { preferred_username: 'ana', orgs: [{ preferred_username: 'acme', roleInOrg: 'write' }] },
  })
  expect(await client.whoAmI({ hubUrl: hub.url, accessToken: result.accessToken })).toMatchObject({
    name: 'ana',
  })
})

describe('reading', () => {
  test('lists public models for anyone and private ones for those who may see them', async () => {
    const names = async (caller: { hubUrl: string; accessToken?: string }) =>
      (await collect(client.listModels({ ...caller, search: { owner: 'acme' } }))).map(({ name }) => name)
    expect(await names(anonymous())).not.toContain('acme/vision-large')
    expect(await names(await as('ben'))).toContain('acme/vision-large')
    expect(await names(await as('ben', allScopes, []))).not.toContain('acme/vision-large')
    expect(await names(await as('ben', ['openid'], ['acme']))).not.toContain('acme/vision-large')
    expect(await names(await as('dan'))).not.toContain('acme/vision-large')
  })

  test('pages through a list by its Link header', async () => {
    const first = await fetch(`${hub.url}/api/models?author=acme&limit=3`)
    expect(await first.json()).toHaveLength(3)
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? ''
    const second = await fetch(next)
    expect(await second.json()).toHaveLength(1)
    expect(second.headers.get('link')).toBeNull()
  })

  test('describes a model and a dataset', async () => {
    const caller = await as('ben')
    const info = await client.modelInfo({
      ...caller,
      name: 'acme/vision-large',
      additionalFields: ['sha', 'tags'],
    })
    expect(info).toMatchObject({ name: 'acme/vision-large', private: true, task: 'image-classification' })
    expect(info.sha).toMatch(/^[0-9a-f]{40}$/)
    const dataset = await client.datasetInfo({ ...caller, name: 'acme/vision-labels' })
    expect(dataset).toMatchObject({ name: 'acme/vision-labels', private: true })
  })

  test('lists files, folders included', async () => {
    const repo = { type: 'dataset', name: 'acme/vision-labels' } as const
    const files = await collect(client.listFiles({ ...(await as('ben')), repo, recursive: true }))
    expect(files.map(({ type, path }) => `${type} ${path}`)).toEqual([
      'file README.md',
      'directory data',
      'file data/labels-info.json',
      'file data/labels.csv',
    ])
  })

  test('downloads a file, whole and in part', async () => {
    const repo = 'acme/vision-small'
    const file = await client.downloadFile({ ...anonymous(), repo, path: 'config.json' })
    expect(JSON.parse((await file?.text()) ?? '')).toMatchObject({ model_type: 'vit' })
    const part = await fetch(`${hub.url}/${repo}/resolve/main/config.json`, {
      headers: { range: 'bytes=0-3' },
    })
    expect(part.status).toBe(206)
    expect((await part.arrayBuffer()).byteLength).toBe(4)
    expect(part.headers.get('content-range')).toMatch(/^bytes 0-3\/\d+$/)
  })

  test('serves weights that are genuine safetensors', async () => {
    const { header } = (await client.parseSafetensorsMetadata({
      ...anonymous(),
      repo: 'acme/vision-small',
    })) as {
      header: Record<string, unknown>
    }
    expect(header['classifier.weight']).toMatchObject({ dtype: 'F32', shape: [3, 2] })
  })

  test('answers the head of a download with the headers clients look for', async () => {
    const url = `${hub.url}/acme/vision-small/resolve/main/model.safetensors`
    const { headers, status } = await fetch(url, { method: 'HEAD' })
    expect(status).toBe(200)
    expect(headers.get('x-repo-commit')).toMatch(/^[0-9a-f]{40}$/)
    expect(headers.get('x-linked-size')).toBe(headers.get('content-length'))
    expect(headers.get('x-linked-etag')).toMatch(/^"[0-9a-f]{64}"$/)
    expect(headers.get('accept-ranges')).toBe('bytes')
    expect([...headers.keys()].filter((name) => name.includes('xet'))).toEqual([])
  })

  test('tells who is asking', async () => {
    expect(await client.whoAmI(await as('ana'))).toMatchObject({
      type: 'user',
      name: 'ana',
      fullname: 'Ana Ruiz',
      email: 'ana@acme.example',
      orgs: [{ name: 'acme', fullname: 'Acme Research', roleInOrg: 'write' }],
      auth: { type: 'oauth' },
    })
  })

  test('finds paths by their names', async () => {
    const found = await client.pathsInfo({
      ...anonymous(),
      repo: 'acme/vision-small',
      paths: ['config.json', 'missing.txt'],
      expand: true,
    })
    expect(found.map(({ path }) => path)).toEqual(['config.json'])
    expect(found[0]?.lastCommit.title).toBe('initial commit')
  })
})

describe('writing', () => {
  test('a commit changes the files and the revision, and the old revision stays', async () => {
    const caller = await as('ana')
    const repo = 'acme/vision-small'
    const before = await client.modelInfo({ ...caller, name: repo, additionalFields: ['sha'] })
    const result = await client.commit({
      ...caller,
      repo,
      title: 'say hello',
      operations: [
        { operation: 'addOrUpdate', path: 'notes/hello.txt', content: new Blob(['hello']) },
        { operation: 'delete', path: 'config.json' },
      ],
    })
    const after = await client.modelInfo({ ...caller, name: repo, additionalFields: ['sha'] })
    expect(after.sha).toBe(result?.commit.oid)
    expect(after.sha).not.toBe(before.sha)
    expect(await (await client.downloadFile({ ...caller, repo, path: 'notes/hello.txt' }))?.text()).toBe(
      'hello',
    )
    expect(await client.fileExists({ ...caller, repo, path: 'config.json' })).toBe(false)
    expect(await client.fileExists({ ...caller, repo, path: 'config.json', revision: before.sha })).toBe(true)
    expect(Object.keys(hub.repo(repo).files)).toContain('notes/hello.txt')
    const titles = (await collect(client.listCommits({ ...caller, repo }))).map(({ title }) => title)
    expect(titles).toEqual(['say hello', 'initial commit'])
  })

  test('uploads a file', async () => {
    const file = { path: 'weights.bin', content: new Blob([new Uint8Array([1, 2, 3])]) }
    await client.uploadFile({ ...(await as('ana')), repo: 'acme/vision-small', file })
    expect(hub.repo('acme/vision-small').files['weights.bin']).toEqual(Buffer.from([1, 2, 3]))
  })

  test('a change made to the world gets a commit of its own', async () => {
    const sha = async () =>
      (await client.modelInfo({ ...anonymous(), name: 'acme/vision-small', additionalFields: ['sha'] })).sha
    const before = await sha()
    hub.repo('acme/vision-small').files['new.txt'] = 'new'
    expect(await sha()).not.toBe(before)
  })

  test('the next hub starts with the files as they were shipped', async () => {
    const file = { path: 'README.md', content: new Blob(['overwritten']) }
    await client.uploadFile({ ...(await as('ana')), repo: 'acme/vision-small', file })
    const other = await startHub()
    const content = Buffer.from(other.repo('acme/vision-small').files['README.md'] ?? '').toString()
    await other.close()
    expect(content).toContain('# Vision Small')
  })

  test('creates and deletes a repository', async () => {
    const caller = await as('ana')
    const repo = { type: 'model', name: 'acme/fresh' } as const
    await client.createRepo({ ...caller, repo, private: true })
    expect(hub.repo('acme/fresh')).toMatchObject({
      private: true,
      createdBy: 'ana',
      createdByApp: publicAppId,
    })
    await client.deleteRepo({ ...caller, repo })
    expect(() => hub.repo('acme/fresh')).toThrow(/no model/)
  })

  test.each([
    ['a read role', 'ben', allScopes, ['acme']],
    ['a read scope', 'ana', ['read-repos'], ['acme']],
    ['no organisation grant', 'ana', allScopes, []],
    ['no membership', 'dan', allScopes, []],
  ])('refuses a commit with %s', async (_, username, scopes, orgs) => {
    const caller = await as(username, scopes, orgs)
    const file = { path: 'a.txt', content: new Blob(['a']) }
    await expect(client.uploadFile({ ...caller, repo: 'acme/vision-small', file })).rejects.toMatchObject({
      statusCode: 403,
    })
    expect(Object.keys(hub.repo('acme/vision-small').files)).not.toContain('a.txt')
  })

  test('a contributor writes what it created and nothing else', async () => {
    hub.person('ben').orgs.acme = { role: 'contributor' }
    const caller = await as('ben')
    const file = { path: 'a.txt', content: new Blob(['a']) }
    await client.createRepo({ ...caller, repo: 'acme/by-ben' })
    await client.uploadFile({ ...caller, repo: 'acme/by-ben', file })
    await expect(client.uploadFile({ ...caller, repo: 'acme/vision-small', file })).rejects.toMatchObject({
      statusCode: 403,
    })
  })

  test('a pull request leaves main as it is', async () => {
    const caller = await as('dan', ['read-repos', 'write-discussions'], [])
    const file = { path: 'a.txt', content: new Blob(['a']) }
    const result = await client.uploadFile({
      ...caller,
      repo: 'acme/vision-small',
      file,
      isPullRequest: true,
    })
    expect(result?.pullRequestUrl).toBe(`${hub.url}/acme/vision-small/discussions/1`)
    expect(Object.keys(hub.repo('acme/vision-small').files)).not.toContain('a.txt')
  })
})
