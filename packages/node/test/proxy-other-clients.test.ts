/** Clients that are not Hugging Face's own, unmodified: OpenAI's, curl, and what the Python client sends, replayed. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needsProgram } from './needs-program.ts'
import { effectsOf, type Fixture, startFixture } from './proxy-fixture.ts'

const run = promisify(execFile)

let it: Fixture
beforeEach(async () => {
  it = await startFixture()
})
afterEach(() => it.close())

describe('OpenAI’s client', () => {
  const messages = [{ role: 'user', content: 'Which bolt fits?' }] as const
  const clientOf = async (username: string) =>
    new OpenAI({ apiKey: await it.tokenOf(username), baseURL: `${it.url}/v1`, maxRetries: 0 })

  test('asks a model, whole and in a stream', async () => {
    const client = await clientOf('ana')
    const answer = await client.chat.completions.create({ model: 'acme/text-chat', messages: [...messages] })
    expect(answer.choices[0]?.message.content).toContain('Which bolt fits?')
    const stream = await client.chat.completions.create({
      model: 'acme/text-chat',
      messages: [...messages],
      stream: true,
    })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toContain('Which bolt fits?')
    const sent = it.hub.requests.filter(({ path }) => path === '/v1/chat/completions')
    expect(sent).toHaveLength(2)
  })

  test('lists the models that its caller may use, and no others', async () => {
    const ids = async (username: string) =>
      (await (await clientOf(username)).models.list()).data.map(({ id }) => id)
    expect(await ids('ana')).toEqual(['acme/text-chat', 'acme/vision-small'])
    expect(await ids('ben')).toEqual([])
  })

  test('understands a refusal, and nobody upstream hears of it', async () => {
    const client = await clientOf('ben')
    const asked = client.chat.completions.create({ model: 'acme/text-chat', messages: [...messages] })
    await expect(asked).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError)
    expect(effectsOf(it.hub).filter((line) => line.includes('/v1/'))).toEqual([])
  })
})

describe('curl', () => {
  const curlTest = needsProgram('curl')

  async function curl(...args: string[]): Promise<string> {
    const { stdout } = await run('curl', ['--silent', '--noproxy', '*', ...args])
    return stdout
  }

  curlTest('downloads a file, a part of it, and its head', async () => {
    const header = `Authorization: Bearer ${await it.tokenOf('ben')}`
    const url = `${it.url}/acme/vision-small/resolve/main/config.json`
    expect(JSON.parse(await curl('-H', header, url))).toMatchObject({ model_type: 'vit' })
    expect(await curl('-H', header, '-r', '0-0', url)).toBe('{')
    expect(await curl('-H', header, '-I', url)).toMatch(/x-repo-commit: [0-9a-f]{40}/)
  })

  curlTest('waits to be asked for a long body, and is refused without sending it', async () => {
    const body = JSON.stringify({
      model: 'acme/text-chat',
      messages: [{ role: 'user', content: 'x'.repeat(50_000) }],
    })
    const args = [
      '-H',
      'Content-Type: application/json',
      '-H',
      'Expect: 100-continue',
      '-w',
      '%{http_code} %{size_upload}',
    ]
    const url = `${it.url}/v1/chat/completions`
    expect(
      await curl(...args, '-H', 'Authorization: Bearer not.a.token', '-d', body, '-o', '/dev/null', url),
    ).toBe('401 0')
    const token = `Authorization: Bearer ${await it.tokenOf('ana')}`
    const sent = await curl(...args, '-H', token, '-d', body, '-o', '/dev/null', url)
    expect(sent).toBe(`200 ${body.length}`)
  })
})

/** In the order and with the headers in which `huggingface_hub` 1.x sends them with `HF_ENDPOINT` set. */
describe('the Python client, replayed', () => {
  const agent = 'unknown/None; hf_hub/1.16.0; python/3.12.3'
  async function ask(method: string, path: string, token: string, init: RequestInit = {}): Promise<Response> {
    return fetch(it.url + path, {
      redirect: 'manual',
      ...init,
      method,
      headers: {
        'user-agent': agent,
        authorization: `Bearer ${token}`,
        'accept-encoding': 'identity',
        ...(init.headers as Record<string, string>),
      },
    })
  }

  test('`hf_hub_download` asks for the head, then for the file', async () => {
    const token = await it.tokenOf('ben')
    const path = '/acme/vision-large/resolve/main/config.json'
    const head = await ask('HEAD', path, token)
    expect(head.status).toBe(200)
    expect(head.headers.get('x-repo-commit')).toMatch(/^[0-9a-f]{40}$/)
    expect(head.headers.get('etag')).toBeTruthy()
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0)
    const file = await ask('GET', path, token)
    expect((await file.arrayBuffer()).byteLength).toBe(Number(head.headers.get('content-length')))
    const rest = await ask('GET', path, token, { headers: { range: 'bytes=5-' } })
    expect(rest.status).toBe(206)
  })

  test('`snapshot_download` reads the revision and its tree', async () => {
    const token = await it.tokenOf('ben')
    const info = await ask('GET', '/api/models/acme/vision-large/revision/main', token)
    const { sha } = (await info.json()) as { sha: string }
    const tree = await ask(
      'GET',
      `/api/models/acme/vision-large/tree/${sha}?recursive=True&expand=False`,
      token,
    )
    expect(((await tree.json()) as unknown[]).length).toBeGreaterThan(0)
  })

  test('`get_paths_info` posts a form, and it is a read', async () => {
    const body = new URLSearchParams([
      ['paths', 'config.json'],
      ['expand', 'False'],
    ])
    const answer = await ask(
      'POST',
      '/api/models/acme/vision-large/paths-info/main',
      await it.tokenOf('ben'),
      { body },
    )
    expect(await answer.json()).toMatchObject([{ path: 'config.json' }])
  })

  test('`upload_file` asks how, and commits lines of JSON', async () => {
    const token = await it.tokenOf('ana')
    const files = [{ path: 'a.txt', size: 2, sample: 'aGk=' }]
    const how = await ask('POST', '/api/models/acme/vision-large/preupload/main', token, {
      body: JSON.stringify({ files }),
      headers: { 'content-type': 'application/json' },
    })
    expect(await how.json()).toMatchObject({ files: [{ path: 'a.txt', uploadMode: 'regular' }] })
    const commit = await ask('POST', '/api/models/acme/vision-large/commit/main', token, {
      body: [
        '{"key":"header","value":{"summary":"Upload a.txt","description":""}}',
        '{"key":"file","value":{"content":"aGk=","path":"a.txt","encoding":"base64"}}',
      ].join('\n'),
      headers: { 'content-type': 'application/x-ndjson' },
    })
    expect(await commit.json()).toMatchObject({ success: true })
    expect(Buffer.from(it.hub.repo('acme/vision-large').files['a.txt'] ?? '').toString()).toBe('hi')
  })

  test('`create_repo` and `delete_repo` name it in the body', async () => {
    const token = await it.tokenOf('cleo')
    const json = { 'content-type': 'application/json' }
    const body = '{"name": "fresh", "organization": "acme", "type": "model", "private": true}'
    expect((await ask('POST', '/api/repos/create', token, { body, headers: json })).status).toBe(200)
    const gone = '{"name": "fresh", "organization": "acme", "type": "model"}'
    expect((await ask('DELETE', '/api/repos/delete', token, { body: gone, headers: json })).status).toBe(200)
  })

  test('`whoami` is told by the proxy', async () => {
    expect(await (await ask('GET', '/api/whoami-v2', await it.tokenOf('ana'))).json()).toMatchObject({
      name: 'ana',
    })
  })

  test('`move_repo` needs both ends', async () => {
    const token = await it.tokenOf('cleo')
    const headers = { 'content-type': 'application/json' }
    const body = '{"fromRepo": "acme/vision-large", "toRepo": "cleo/mine", "type": "model"}'
    const moved = await ask('POST', '/api/repos/move', token, { body, headers })
    expect(moved.status).toBe(403)
    expect(effectsOf(it.hub)).not.toContain('POST /api/repos/move')
  })
})
