import { describe, expect, test } from 'vitest'
import { createAppRouter, type HubService, hubRoutes, matchHubRoute } from '../src/index.ts'
import { policyOf } from './support.ts'

function match(line: string, services?: readonly HubService[]) {
  const [method = '', target = ''] = line.split(' ')
  const [path = '', query = ''] = target.split('?')
  const found = matchHubRoute(method, path, new URLSearchParams(query), services)
  if (found === undefined) return undefined
  const { action, resource, route } = found
  if (resource === undefined) return `${action} ${route.target.in}`
  const { revision, path: file } = resource.attributes
  return `${action} ${resource.type}:${resource.id}${revision === undefined ? '' : `@${revision}`}${file === undefined ? '' : ` ${file}`}`
}

describe('routes of the Hub', () => {
  test('every row can be found, and by nothing but its own line', () => {
    const example = (path: string) =>
      path
        .replace('{repo}', 'acme/vision')
        .replace('{kind}', 'models')
        .replace('{path*}', 'a/b')
        .replace('/{path?}', '/a/b')
        .replaceAll(/\{\w+\}/g, 'one')
    for (const route of hubRoutes) {
      const query = new URLSearchParams(route.query && { [route.query.name]: route.query.value })
      if (route.target.in === 'query') query.set(route.target.name, 'acme/labels')
      for (const method of route.methods) {
        const found = matchHubRoute(method, example(route.path), query, [route.host])
        expect({ line: `${method} ${route.path}`, route: found?.route }).toEqual({
          line: `${method} ${route.path}`,
          route,
        })
      }
    }
  })

  test.each([
    ['GET /api/whoami-v2', 'read caller'],
    ['GET /api/models?author=acme', 'read list'],
    ['GET /api/models/acme/vision', 'read model:acme/vision'],
    ['GET /api/datasets/acme/labels/revision/v1.0', 'read dataset:acme/labels@v1.0'],
    ['GET /api/spaces/acme/demo', 'read space:acme/demo'],
    ['GET /api/models/acme/vision/tree/main', 'read model:acme/vision@main'],
    ['GET /api/models/acme/vision/tree/main/sub/dir', 'read model:acme/vision@main sub/dir'],
    ['POST /api/models/acme/vision/paths-info/main', 'read model:acme/vision@main'],
    ['GET /api/models/acme/vision/refs', 'read model:acme/vision'],
    ['GET /acme/vision/resolve/main/config.json', 'read model:acme/vision@main config.json'],
    [
      'HEAD /datasets/acme/labels/resolve/refs%2Fpr%2F1/data/a%20b.csv',
      'read dataset:acme/labels@refs/pr/1 data/a b.csv',
    ],
    ['GET /spaces/acme/demo/raw/main/README.md', 'read space:acme/demo@main README.md'],
    ['GET /api/resolve-cache/models/acme/vision/abc/config.json', 'read model:acme/vision@abc config.json'],
    ['GET /api/models/acme/vision/xet-read-token/main', 'read model:acme/vision@main'],
    ['GET /api/models/acme/vision/xet-write-token/main', 'write model:acme/vision@main'],
    ['POST /api/models/acme/vision/preupload/main', 'write model:acme/vision@main'],
    ['POST /api/models/acme/vision/commit/main', 'write model:acme/vision@main'],
    ['POST /api/models/acme/vision/commit/main?create_pr=1', 'discuss model:acme/vision@main'],
    ['POST /api/models/acme/vision/preupload/main?create_pr=1', 'discuss model:acme/vision@main'],
    ['POST /api/models/acme/commit/branch/main?create_pr=1', 'write model:acme/commit@main'],
    ['GET /api/models/acme/vision/xet-write-token/main?create_pr=1', 'write model:acme/vision@main'],
    ['DELETE /api/models/acme/vision/branch/dev', 'write model:acme/vision@dev'],
    ['POST /datasets/acme/labels.git/info/lfs/objects/batch', 'write dataset:acme/labels'],
    ['GET /datasets/acme/labels.git/info/lfs/objects/0a', 'read dataset:acme/labels'],
    ['GET /acme/vision.git/info/lfs/locks', 'read model:acme/vision'],
    ['POST /datasets/acme/labels.git/info/lfs/locks', 'write dataset:acme/labels'],
    ['POST /acme/vision/info/lfs/locks/verify', 'write model:acme/vision'],
    ['POST /acme/vision.git/info/lfs/locks/7/unlock', 'write model:acme/vision'],
    ['POST /api/models/acme/vision/discussions', 'discuss model:acme/vision'],
    ['PUT /api/models/acme/vision/settings', 'manage model:acme/vision'],
    ['POST /api/repos/create', 'create body'],
    ['DELETE /api/repos/delete', 'delete body'],
    ['POST /api/repos/move', 'manage body'],
    ['POST /api/models/acme/vision/duplicate', 'read model:acme/vision'],
    ['GET /acme/vision.git/info/refs?service=git-upload-pack', 'read model:acme/vision'],
    ['GET /acme/vision.git/info/refs?service=git-receive-pack', 'write model:acme/vision'],
    ['GET /datasets/acme/labels/info/refs?service=git-upload-pack', 'read dataset:acme/labels'],
    ['POST /acme/vision.git/git-upload-pack', 'read model:acme/vision'],
    ['POST /spaces/acme/demo/git-receive-pack', 'write space:acme/demo'],
    ['GET /api/models/acme/vision/compare/main..dev', 'read model:acme/vision@main..dev'],
    ['POST /api/models/acme/vision/discussions/3/merge', 'write model:acme/vision'],
    ['POST /api/models/acme/vision/discussions/3/comment/a1/hide', 'discuss model:acme/vision'],
    ['POST /api/models/acme/vision/user-access-request/grant', 'manage model:acme/vision'],
    ['POST /api/spaces/acme/demo/restart', 'run space:acme/demo'],
    ['GET /api/spaces/acme/demo/secrets', 'manage space:acme/demo'],
    ['GET /api/collections/acme/vision-64f9', 'read collection:acme/vision-64f9'],
    ['GET /api/buckets/acme/data/xet-write-token', 'write bucket:acme/data'],
    ['GET /buckets/acme/data/resolve/a/b', 'read bucket:acme/data a/b'],
    ['GET /api/organizations/acme/members', 'read org:acme'],
    ['POST /api/jobs/acme', 'run job:acme'],
    ['POST /api/jobs/acme/66a/cancel', 'run job:acme/66a'],
    ['GET /api/jobs/acme', 'read list'],
    ['GET /api/jobs/hardware', 'read catalogue'],
    ['GET /api/scheduled-jobs/acme', 'read list'],
    ['GET /api/users/ana/followers', 'read catalogue'],
    ['POST /api/inference-endpoints/acme/auth-check/infer', 'infer endpoint:acme'],
    ['POST /api/inference-endpoints/acme/ranker/auth-check/write', 'write endpoint:acme/ranker'],
    ['GET /api/tasks', 'read catalogue'],
    ['GET /v1/models', 'infer list'],
    ['GET /v1/models/acme/vision', 'infer model:acme/vision'],
    ['POST /v1/chat/completions', 'infer body'],
    ['POST /hf-inference/models/acme/vision/pipeline/feature-extraction', 'infer model:acme/vision'],
    ['POST /together/v1/chat/completions', 'infer body'],
    ['POST /deepinfra/v1/openai/embeddings', 'infer body'],
    ['GET /v2/endpoint/acme', 'read list'],
    ['POST /v2/endpoint/acme', 'create body'],
    ['DELETE /v2/endpoint/acme/vision', 'delete endpoint:acme/vision'],
    ['GET /rows?dataset=acme/labels&config=default', 'read dataset:acme/labels'],
  ])('%s is %s', (line, expected) => {
    expect(match(line)).toBe(expected)
  })

  test.each([
    ['a route nobody listed', 'GET /no/such/route/at/all'],
    ['another method', 'POST /api/models/acme/vision'],
    ['another case', 'GET /API/models/acme/vision'],
    ['a slash at the end', 'GET /api/models/acme/vision/'],
    ['more than the route', 'GET /api/models/acme/vision/refs/x'],
    ['an id that is a word of the Hub', 'GET /datasets/resolve/main/config.json'],
    ['an encoded slash in an owner', 'GET /acme%2Fsecret/resolve/main/config.json'],
    ['an encoded slash in a path', 'GET /acme/open/resolve/main/a%2Fb'],
    ['a dot segment behind an encoding', 'GET /acme/open/resolve/main/%2e%2e/secret'],
    ['a revision that climbs', 'GET /acme/open/resolve/..%2f..%2fx/config.json'],
    ['a look-alike letter', 'GET /%D0%B0cme/open/resolve/main/config.json'],
    ['an empty segment', 'GET /acme//secret/resolve/main/x'],
    ['a bad percent-encoding', 'GET /acme/open/resolve/main/%zz'],
    ['no path behind resolve', 'GET /acme/open/resolve/main'],
    ['a NUL', 'GET /acme/open/resolve/main/a%00b'],
    ['Git without a service', 'GET /acme/vision.git/info/refs'],
    ['a service of Git that is none', 'GET /acme/vision.git/info/refs?service=git-upload-archive'],
    ['a dataset that is not named', 'GET /rows'],
    ['a dataset that is no name', 'GET /rows?dataset=acme/../secret'],
    ['a provider’s path that names the model', 'POST /replicate/v1/models/acme/vision/predictions'],
    ['a provider’s path at another one', 'POST /groq/v1/chat/completions'],
    ['an old name without an owner', 'GET /api/models/gpt2'],
  ])('%s has no reading', (_, line) => {
    expect(match(line)).toBeUndefined()
  })
})

describe('an address of its own', () => {
  test.each(['GET /', 'POST /v1/chat/completions', 'GET /gradio_api/', 'DELETE /api/models/acme/vision'])(
    'leads to one endpoint, whatever is asked there: %s',
    (line) => {
      expect(match(line, ['endpoint'])).toBe('infer host')
      expect(match(line, ['space'])).toBe('infer host')
    },
  )

  test('leads nowhere by a path that climbs, and by no row of the Hub', () => {
    expect(match('GET /a/%2e%2e/b', ['space'])).toBeUndefined()
    expect(match('GET /a//b', ['space'])).toBeUndefined()
    expect(match('GET /v1/models', ['hub'])).toBeUndefined()
    expect(match('GET /api/models', ['router'])).toBeUndefined()
  })
})

describe('routes of the application', () => {
  const route = createAppRouter(
    policyOf({
      routes: [
        { match: 'POST /v1/predict/:name', action: 'infer', resource: 'model:acme/:name' },
        { match: 'GET /v1/models', action: 'read', resource: 'org:acme' },
        { match: 'GET /v1/:name', action: 'read', resource: 'model:acme/:name' },
      ],
    }),
  )

  test('fill the parts of the path into the resource', () => {
    expect(route('POST', '/v1/predict/vision')).toEqual({
      route: 'POST /v1/predict/:name',
      action: 'infer',
      resource: 'model:acme/vision',
    })
    expect(route('HEAD', '/v1/models')).toMatchObject({ action: 'read', resource: 'org:acme' })
  })

  test('leave a part as it came, so that it is decoded once, where ids are made canonical', () => {
    expect(route('POST', '/v1/predict/a%2F..%2Fb')?.resource).toBe('model:acme/a%2F..%2Fb')
  })

  describe('of which several fit', () => {
    const routes = [
      { match: 'GET /v1/:name', action: 'read', resource: 'model:acme/:name' },
      { match: 'GET /v1/admin', action: 'manage', resource: 'org:acme' },
      { match: 'GET /:kind/admin', action: 'write', resource: 'model:acme/:kind' },
      { match: 'GET /v1/:name/:part', action: 'read', resource: 'model:acme/:name' },
      { match: 'GET /v1/:name/keys', action: 'manage', resource: 'model:acme/:name' },
      { match: 'GET /v1/admin/:part', action: 'write', resource: 'org:acme' },
      { match: 'HEAD /v1/admin', action: 'discuss', resource: 'org:acme' },
    ]
    const matches = (method: string, path: string) =>
      [routes, [...routes].reverse()].map((order) =>
        createAppRouter(policyOf({ routes: order }))(method, path),
      )

    test.each([
      ['GET /v1/admin', 'manage'],
      ['HEAD /v1/admin', 'discuss'],
      ['HEAD /v1/x', 'read'],
      ['GET /v1/x', 'read'],
      ['GET /v2/admin', 'write'],
      ['GET /v1/x/keys', 'manage'],
      ['GET /v1/admin/keys', 'write'],
      ['GET /v1/x/y', 'read'],
    ])('%s is the one that spells out most from the left, in any order of the policy', (line, action) => {
      const [method = '', path = ''] = line.split(' ')
      expect(matches(method, path).map((match) => match?.action)).toEqual([action, action])
    })

    test.each(['GET /v1/%61dmin', 'GET /v1/Admin', 'GET /v1/x/KEYS', 'GET /v1/%41dmin/x', 'HEAD /v1/ADMIN'])(
      '%s is none of them, since some servers take it for more than it says',
      (line) => {
        const [method = '', path = ''] = line.split(' ')
        expect(matches(method, path)).toEqual([undefined, undefined])
      },
    )

    test.each(['GET /v1/:model', 'GET /V1/:model'])(
      'another %s that takes the same requests is a fault',
      (match) => {
        const again = { match, action: 'write', resource: 'model:acme/:model' }
        expect(() => policyOf({ routes: [...routes, again] })).toThrow(/duplicate/)
      },
    )
  })

  test('match what is none of the fixed paths, whatever its case and encoding', () => {
    for (const name of ['%76ision', 'Vision', 'models%2F', '%', '%ff'])
      expect(route('GET', `/v1/${name}`)?.resource).toBe(`model:acme/${name}`)
  })

  test.each([
    'POST /v1/predict',
    'POST /v1/predict/',
    'POST /v1/predict/a/b',
    'DELETE /v1/predict/a',
    'HEAD /v1/predict/a',
  ])('do not match %s', (line) => {
    const [method = '', path = ''] = line.split(' ')
    expect(route(method, path)).toBeUndefined()
  })
})
