/**
 * Bytes on the wire: requests that could be read in two ways, that claim what they are not, or that are no
 * requests. Each row is the bytes, what comes back, what is on record, and what the Hub saw of it.
 */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { effectsOf, type Fixture, sendRaw, startFixture } from './proxy-fixture.ts'

let it: Fixture
let tokens: { ana: string; ben: string }
let seen = 0
beforeAll(async () => {
  it = await startFixture({ environment: 'production' })
  tokens = { ana: await it.tokenOf('ana'), ben: await it.tokenOf('ben') }
})
afterAll(() => it.close())
beforeEach(() => {
  it.hub.requests.clear()
  seen = it.events.length
})

const file = '/acme/vision-small/resolve/main/config.json'
const info = '/api/models/acme/vision-small'
const chat = '{"model":"acme/text-chat","messages":[{"role":"user","content":"hi"}]}'

interface Line {
  /** Sent as it is, so that it may hold a space. */
  readonly method?: string
  readonly target?: string
  readonly version?: string
  /** Without `Host`, `Authorization` of ana and `Connection: close`, unless they are replaced here. */
  readonly headers?: readonly string[]
  readonly host?: string | undefined
  readonly token?: string | undefined
  readonly body?: string
}

/** The bytes of a request; a body is framed by its length unless the headers frame it. */
function bytesOf(line: Line): string {
  const { method = 'GET', target = file, version = 'HTTP/1.1', headers = [], body = '' } = line
  const host = 'host' in line ? line.host : 'Host: hub.example'
  const token = 'token' in line ? line.token : tokens.ana
  const framed = body === '' || headers.some((header) => /^(content-length|transfer-encoding):/i.test(header))
  return [
    `${method} ${target} ${version}`,
    ...(host === undefined ? [] : [host]),
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    'Connection: close',
    ...headers,
    ...(framed ? [] : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`]),
    '',
    body,
  ].join('\r\n')
}

const post = (body: string, type: string | undefined = 'application/json', more: readonly string[] = []) => ({
  method: 'POST',
  target: '/v1/chat/completions',
  headers: [...(type === undefined ? [] : [`Content-Type: ${type}`]), ...more],
  body,
})
const reasonsSince = () =>
  it.events
    .slice(seen)
    .filter(({ type }) => type === 'io.hfauth.decision')
    .map(({ decision }) => decision?.reason)

type Row = readonly [id: string, line: Line, status: number, reason: string | undefined, upstream?: string[]]

const targets: Row[] = [
  [
    'B01 dot segments',
    { target: '/acme/vision-small/resolve/main/../../../secret/resolve/main/x' },
    400,
    'path_ambiguous',
  ],
  ['B01 one dot', { target: '/acme/./vision-small/resolve/main/x' }, 400, 'path_ambiguous'],
  ['B02 encoded dots', { target: '/acme/vision-small/%2e%2e/secret/resolve/main/x' }, 400, 'path_ambiguous'],
  [
    'B02 half encoded dots',
    { target: '/acme/vision-small/.%2E/secret/resolve/main/x' },
    400,
    'path_ambiguous',
  ],
  [
    'B02 dots encoded twice',
    { target: '/acme/vision-small/%252e%252e/secret/resolve/main/x' },
    400,
    'path_ambiguous',
  ],
  [
    'B02 dots within a revision',
    { target: '/acme/vision-small/resolve/a%2F..%2Fb/x' },
    400,
    'path_ambiguous',
  ],
  [
    'B03 an encoded slash in the id',
    { target: '/acme%2Fsecret/resolve/main/config.json' },
    400,
    'path_ambiguous',
  ],
  [
    'B03 an encoded slash under the API',
    { target: '/api/models/acme%2Fvision-small' },
    400,
    'path_ambiguous',
  ],
  [
    'B03 an encoded slash in a file',
    { target: '/acme/vision-small/resolve/main/a%2Fb' },
    400,
    'path_ambiguous',
  ],
  [
    'B03 a pull request as revision',
    { target: '/acme/vision-small/resolve/refs%2Fpr%2F1/config.json' },
    404,
    'allowed',
    ['GET /acme/vision-small/resolve/refs%2Fpr%2F1/config.json'],
  ],
  [
    'B03 the same, not encoded',
    { target: '/acme/vision-small/resolve/refs/pr/1/config.json' },
    400,
    'path_ambiguous',
  ],
  ['B04 an empty segment', { target: '/acme//secret/resolve/main/x' }, 400, 'path_ambiguous'],
  ['B04 two slashes first', { target: '//acme/vision-small' }, 400, 'path_ambiguous'],
  ['B04 a host after two slashes', { target: '//evil.test/x' }, 400, 'path_ambiguous'],
  ['B04 health behind slashes', { target: '///healthz', token: undefined }, 400, 'path_ambiguous'],
  [
    'B06 backslashes',
    { target: '/healthz\\..\\api\\models\\acme\\secret', token: undefined },
    400,
    'path_ambiguous',
  ],
  ['B06 an encoded backslash', { target: '/acme%5Cvision-small/resolve/main/x' }, 400, 'path_ambiguous'],
  ['B07 a fragment behind a query', { target: `${info}?x=1#/healthz` }, 400, 'path_ambiguous'],
  ['B14 broken encoding in a query', { target: `${info}?x=%zz` }, 400, 'path_ambiguous'],
  ['B07 a fragment', { target: `${info}#/healthz`, token: undefined }, 400, 'path_ambiguous'],
  [
    'B08 a query like a path',
    { target: `${info}?x=/healthz`, token: undefined },
    401,
    'authentication_required',
  ],
  [
    'B08 the same without a name',
    { target: `${info}?/healthz`, token: undefined },
    401,
    'authentication_required',
  ],
  ['B09 NUL', { target: '/acme/vision-small%00/resolve/main/x' }, 400, 'path_ambiguous'],
  ['B09 CR LF', { target: '/acme/vision-small%0d%0aX:%20y/resolve/main/x' }, 400, 'path_ambiguous'],
  ['B09 a raw control', { target: '/acme/\u0001/resolve/main/x' }, 400, 'request_malformed'],
  ['B09 a raw DEL', { target: '/acme/\u007f/resolve/main/x' }, 400, 'request_malformed'],
  ['B09 a raw byte 0xff', { target: '/acme/\u00ff/resolve/main/x' }, 400, 'request_malformed'],
  ['B11 a Cyrillic а', { target: '/%D0%B0cme/vision-small/resolve/main/config.json' }, 400, 'path_ambiguous'],
  ['B11 a combining accent', { target: '/acme/o%CC%88pen/resolve/main/x' }, 400, 'path_ambiguous'],
  ['B12 another case of a route', { target: '/API/models/acme/vision-small' }, 404, 'route_unknown'],
  ['B13 absolute form', { target: `http://hub.example${info}` }, 400, 'path_ambiguous'],
  [
    'B13 absolute form with user-info',
    { target: 'http://hub.example@evil.test/acme/secret' },
    400,
    'path_ambiguous',
  ],
  ['B13 authority form', { method: 'CONNECT', target: 'evil.test:443' }, 405, 'method_unknown'],
  ['B13 asterisk form', { method: 'GET', target: '*' }, 400, 'path_ambiguous'],
  ['B13 asterisk form with its method', { method: 'OPTIONS', target: '*' }, 405, 'method_unknown'],
  ['B14 broken encoding', { target: '/%zz' }, 400, 'path_ambiguous'],
  ['B14 half an escape', { target: '/a%' }, 400, 'path_ambiguous'],
  ['B14 bytes that are no UTF-8', { target: '/acme/vision-small/resolve/main/%FF' }, 400, 'path_ambiguous'],
  ['B14 no slash', { target: 'acme/vision-small' }, 400, 'request_malformed'],
  ['B14 5 KiB', { target: `/${'a'.repeat(5120)}` }, 414, 'target_too_long'],
  ['B17 a slash at the end', { target: `${info}/` }, 404, 'route_unknown'],
  ['B19 a word of the Hub as owner', { target: '/datasets/resolve/main/config.json' }, 404, 'route_unknown'],
  ['F17 a parameter twice', { target: '/api/models?author=acme&author=other' }, 400, 'path_ambiguous'],
  [
    'F17 a parameter in brackets',
    { target: '/api/models?author=acme&author[]=other' },
    400,
    'path_ambiguous',
  ],
  [
    'F17 create_pr twice',
    {
      method: 'POST',
      target: '/api/models/acme/vision-small/commit/main?create_pr=1&create_pr=0',
      headers: ['Content-Type: application/x-ndjson'],
      body: '{}',
    },
    400,
    'path_ambiguous',
  ],
  [
    'F17 create_pr in another case',
    {
      method: 'POST',
      target: '/api/models/acme/vision-small/commit/main?Create_PR=1',
      headers: ['Content-Type: application/x-ndjson'],
      body: '{}',
    },
    400,
    'path_ambiguous',
  ],
  ['K08 no such route', { target: '/no/such/route/at/all' }, 404, 'route_unknown'],
]

const read = [`GET ${file}`]

const headers: Row[] = [
  ['A01 underscores', { headers: ['X_Hfauth_User: root', 'X_Forwarded_User: root'] }, 200, 'allowed', read],
  [
    'A02 dots and tildes',
    { headers: ['X.Hfauth.User: root', 'X~Hfauth~User: root', 'X-HFAUTH-user: root'] },
    200,
    'allowed',
    read,
  ],
  [
    'A03 a path in headers',
    {
      target: info,
      token: undefined,
      headers: ['X-Forwarded-Uri: /healthz', 'X-Original-URL: /healthz', 'X-Rewrite-URL: /healthz'],
    },
    401,
    'authentication_required',
  ],
  [
    'A04 a forwarded address',
    { target: info, token: undefined, headers: ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https'] },
    401,
    'authentication_required',
  ],
  [
    'A08 a health checker',
    { target: info, token: undefined, headers: ['User-Agent: kube-probe/1.31'] },
    401,
    'authentication_required',
  ],
  [
    'A11 the same three times',
    { headers: ['X-Hfauth-User: root', 'x-hfauth-user: admin', 'X-HFAUTH-USER:'] },
    200,
    'allowed',
    read,
  ],
  ['C08 two hosts', { headers: ['Host: other.example'] }, 400, 'header_forbidden'],
  ['C08 two credentials', { headers: ['Authorization: Bearer x'] }, 400, 'header_forbidden'],
  [
    'C08 two content types',
    { ...post(chat, 'application/json', ['content-type: text/plain']) },
    400,
    'header_forbidden',
  ],
  ['C08 user-info in Host', { host: 'Host: a@b' }, 400, 'header_forbidden'],
  ['C08 a comma in Host', { host: 'Host: a,b' }, 400, 'header_forbidden'],
  ['C08 a port out of range', { host: 'Host: a:99999' }, 400, 'header_forbidden'],
  ['C08 no Host', { host: undefined }, 400, undefined],
  ['C06 a space before the colon', { headers: ['X-A : b'] }, 400, 'request_malformed'],
  ['C06 a folded line', { headers: ['X-A: b', ' folded'] }, 400, 'request_malformed'],
  ['C06 a name in brackets', { headers: ['X(A): b'] }, 400, 'request_malformed'],
  ['C06 NUL in a value', { headers: ['X-A: b\u0000c'] }, 400, 'request_malformed'],
  // Node's parser takes it for one space; what goes on has one.
  ['C07 two spaces', { method: 'GET ' }, 200, 'allowed', read],
  ['C07 no version', { version: '' }, 400, 'request_malformed'],
  ['C09 a body on GET', { body: 'GET /x HTTP/1.1' }, 400, 'body_unexpected'],
  [
    'C09 chunks on GET',
    { headers: ['Transfer-Encoding: chunked'], body: '0\r\n\r\n' },
    400,
    'body_unexpected',
  ],
  ['C09 an unknown expectation', { headers: ['Expect: 200-ok'] }, 417, undefined],
  [
    'D01 our own headers named by Connection',
    { headers: ['Connection: X-Hfauth-User, X-Forwarded-For'] },
    200,
    'allowed',
    read,
  ],
  [
    'D02 the credential named by Connection',
    { headers: ['Connection: Authorization, Host, Content-Length'] },
    200,
    'allowed',
    read,
  ],
  [
    'D03 hop-by-hop headers',
    {
      headers: [
        'Keep-Alive: timeout=9999',
        'Proxy-Connection: keep-alive',
        'Proxy-Authorization: Basic eDp5',
        'TE: gzip, trailers',
        'Connection: X-Foo',
        'X-Foo: 1',
      ],
    },
    200,
    'allowed',
    read,
  ],
  [
    'D04 an upgrade to h2c',
    {
      headers: [
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
      ],
    },
    200,
    'allowed',
    read,
  ],
  ['H14 cookies', { headers: ['Cookie: theme=dark; __Host-hfauth=x'] }, 200, 'allowed', read],
  [
    'H13 a browser’s Accept',
    { target: info, token: undefined, headers: ['Accept: text/html'] },
    401,
    'authentication_required',
  ],
  ['J11 a Proxy header', { headers: ['Proxy: http://evil.test:3128'] }, 200, 'allowed', read],
  ['K06 a request id', { headers: ['X-Request-Id: someone-else'] }, 200, 'allowed', read],
  [
    'L02 65 fields',
    { headers: Array.from({ length: 62 }, (_, i) => `X-A${i}: b`) },
    431,
    'headers_too_large',
  ],
  ['L02 17 KiB', { headers: [`X-A: ${'a'.repeat(17_408)}`] }, 431, 'headers_too_large'],
]

const methods: Row[] = [
  [
    'E01 override by header',
    {
      method: 'POST',
      target: '/api/models/acme/vision-small/paths-info/main?_method=DELETE',
      headers: [
        'X-HTTP-Method-Override: DELETE',
        'X-Method-Override: DELETE',
        'X-HTTP-Method: DELETE',
        'Content-Type: application/x-www-form-urlencoded',
      ],
      body: '_method=DELETE',
    },
    200,
    'allowed',
    ['POST /api/models/acme/vision-small/paths-info/main'],
  ],
  ['E02 an unknown method', { method: 'PROPFIND' }, 405, 'method_unknown'],
  ['E02 TRACE', { method: 'TRACE' }, 405, 'method_unknown'],
  ['E02 PATCH', { method: 'PATCH' }, 404, 'route_unknown'],
  ['E02 a made-up method', { method: 'FOO' }, 400, 'request_malformed'],
  ['E02 HEAD', { method: 'HEAD' }, 200, 'allowed', [`HEAD ${file}`]],
  ['E02 HEAD where there is only GET', { method: 'HEAD', target: '/api/whoami-v2' }, 404, 'route_unknown'],
  ['E02 OPTIONS', { method: 'OPTIONS' }, 405, 'method_unknown'],
  [
    'E03 a GET that lets one write',
    { target: '/api/models/acme/vision-small/xet-write-token/main' },
    403,
    'environment_ceiling',
  ],
  [
    'E03 git receive-pack',
    { target: '/acme/vision-small.git/info/refs?service=git-receive-pack' },
    403,
    'environment_ceiling',
  ],
  [
    'E04 a POST that reads',
    {
      method: 'POST',
      target: '/api/models/acme/vision-small/paths-info/main',
      headers: ['Content-Type: application/json'],
      body: '{"paths":["config.json"]}',
    },
    200,
    'allowed',
    ['POST /api/models/acme/vision-small/paths-info/main'],
  ],
  [
    'E04 an LFS download',
    {
      method: 'POST',
      target: '/acme/vision-small.git/info/lfs/objects/batch',
      headers: ['Content-Type: application/vnd.git-lfs+json'],
      body: '{"operation":"download","objects":[]}',
    },
    404,
    'allowed',
    ['POST /acme/vision-small.git/info/lfs/objects/batch'],
  ],
  [
    'E04 an LFS upload',
    {
      method: 'POST',
      target: '/acme/vision-small.git/info/lfs/objects/batch',
      headers: ['Content-Type: application/vnd.git-lfs+json'],
      body: '{"operation":"upload","objects":[]}',
    },
    403,
    'environment_ceiling',
  ],
]

const rest = '"messages":[{"role":"user","content":"hi"}]'
const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
const asked = ['POST /v1/chat/completions']

const bodies: Row[] = [
  ['a plain question', post(chat), 200, 'allowed', asked],
  [
    'F01 two models',
    post(`{"model":"acme/text-chat","model":"acme/restricted",${rest}}`),
    400,
    'body_ambiguous',
  ],
  [
    'F01 two models, the other way round',
    post(`{"model":"acme/restricted","model":"acme/text-chat",${rest}}`),
    400,
    'body_ambiguous',
  ],
  [
    'F01 two streams',
    post(`{"model":"acme/text-chat","stream":true,"stream":false,${rest}}`),
    400,
    'body_ambiguous',
  ],
  [
    'F01 a duplicate further in',

    post('{"model":"acme/text-chat","messages":[{"role":"user","role":"system","content":"x"}]}'),
    400,
    'body_ambiguous',
  ],
  [
    'F02 an escaped duplicate',

    post(`{"mod\\u0065l":"acme/restricted","model":"acme/text-chat",${rest}}`),
    400,
    'body_ambiguous',
  ],
  [
    'F02 another case beside it',
    post(`{"Model":"acme/restricted","model":"acme/text-chat",${rest}}`),
    400,
    'body_ambiguous',
  ],
  [
    'F02 a space beside it',
    post(`{"model ":"acme/restricted","model":"acme/text-chat",${rest}}`),
    400,
    'body_ambiguous',
  ],
  ['F02 another case alone', post(`{"Model":"acme/text-chat",${rest}}`), 400, 'body_ambiguous'],
  ['F03 no content type', { ...post(chat), headers: [] }, 415, 'body_type'],
  ['F03 text', post(chat, 'text/plain'), 415, 'body_type'],
  ['F03 UTF-16', post(chat, 'application/json; charset=utf-16'), 415, 'body_type'],
  ['F03 a form', post(chat, 'application/x-www-form-urlencoded'), 415, 'body_type'],
  ['F03 capitals', post(chat, 'APPLICATION/JSON; charset="UTF-8"'), 200, 'allowed', asked],
  [
    'F03 JSON where LFS is spoken',

    {
      method: 'POST',
      target: '/acme/vision-small.git/info/lfs/objects/batch',
      headers: ['Content-Type: application/json'],
      body: '{"operation":"download"}',
    },
    415,
    'body_type',
  ],
  ['F04 a byte order mark', post(`\u00ef\u00bb\u00bf${chat}`), 400, 'body_ambiguous'],
  ['F04 UTF-16 bytes', post(Buffer.from(chat, 'utf16le').toString('latin1')), 400, 'body_ambiguous'],
  ['F04 bytes that are no UTF-8', post('{"model":"\u00ff"}'), 400, 'body_ambiguous'],
  [
    'F04 gzip',

    post(gzipSync(chat).toString('latin1'), 'application/json', ['Content-Encoding: gzip']),
    415,
    'body_encoded',
  ],
  [
    'F04 two encodings',
    post(chat, 'application/json', ['Content-Encoding: identity, gzip']),
    415,
    'body_encoded',
  ],
  ['F06 trailing data', post(`${chat}x`), 400, 'body_ambiguous'],
  ['F06 two values', post(`${chat}${chat}`), 400, 'body_ambiguous'],
  ['F06 NaN', post(`{"model":"acme/text-chat","temperature":NaN,${rest}}`), 400, 'body_ambiguous'],
  ['F06 a comment', post(`/**/${chat}`), 400, 'body_ambiguous'],
  ['F06 single quotes', post("{'model':'acme/text-chat'}"), 400, 'body_ambiguous'],
  ['F06 nesting', post(`{"model":"acme/text-chat","x":${deep}}`), 400, 'body_ambiguous'],
  [
    'F06 __proto__',

    post(`{"__proto__":{"model":"acme/text-chat"},"model":"acme/text-chat",${rest}}`),
    400,
    'body_ambiguous',
  ],
  ['F06 a list', post('[]'), 400, 'body_invalid'],
  [
    'F07 a provider the policy pins',
    post(`{"model":"acme/vision-small:hf-inference",${rest}}`),
    200,
    'allowed',
    asked,
  ],
  [
    'F07 another provider',
    { ...post(`{"model":"acme/vision-small:together",${rest}}`) },
    403,
    'explicit_deny',
  ],
  [
    'F07 no provider, where one is pinned',
    post(`{"model":"acme/vision-small",${rest}}`),
    403,
    'condition_unknown',
  ],
  ...['fastest', 'cheapest'].map(
    (how): Row => [
      `F07 the ${how}, where one is pinned`,
      post(`{"model":"acme/vision-small:${how}",${rest}}`),
      403,
      'condition_unknown',
    ],
  ),
  ['F07 two suffixes', post(`{"model":"acme/text-chat:hf-inference:together",${rest}}`), 400, 'body_invalid'],
  ['F07 a revision', post(`{"model":"acme/text-chat@main",${rest}}`), 400, 'body_invalid'],
  ['F07 a number', post(`{"model":1,${rest}}`), 400, 'body_invalid'],
  [
    'F11 a model in a header',
    post(chat, 'application/json', ['X-Model: acme/restricted', 'X-HF-Bill-To: rich-org']),
    200,
    'allowed',
    asked,
  ],
  [
    'F12 a model in the path',

    { ...post(chat), target: '/hf-inference/models/acme/restricted/v1/chat/completions' },
    400,
    'body_ambiguous',
  ],
  [
    'F14 a length over the limit',
    post('x', 'application/json', ['Content-Length: 1048577']),
    413,
    'body_too_large',
  ],
  [
    'F14 chunks over the limit',

    post(`${(1_048_577).toString(16)}\r\n${'x'.repeat(1_048_577)}\r\n0\r\n\r\n`, 'application/json', [
      'Transfer-Encoding: chunked',
    ]),
    413,
    'body_too_large',
  ],
  [
    'F16 a repository without a type',
    {
      method: 'DELETE',
      target: '/api/repos/delete',
      headers: ['Content-Type: application/json'],
      body: '{"name":"vision-small","organization":"acme"}',
    },
    403,
    'environment_ceiling',
  ],
  [
    'F16 a type that is none',

    {
      method: 'DELETE',
      target: '/api/repos/delete',
      headers: ['Content-Type: application/json'],
      body: '{"type":"modle","name":"x","organization":"acme"}',
    },
    400,
    'body_invalid',
  ],
  [
    'F16 a name with a slash',

    {
      method: 'POST',
      target: '/api/repos/create',
      headers: ['Content-Type: application/json'],
      body: '{"name":"a/b","organization":"acme"}',
    },
    400,
    'body_invalid',
  ],
  [
    'F16 moving',

    {
      method: 'POST',
      target: '/api/repos/move',
      headers: ['Content-Type: application/json'],
      body: '{"fromRepo":"acme/a","toRepo":"evil/a"}',
    },
    403,
    'environment_ceiling',
  ],
  ['F22 dots in a model', post(`{"model":"acme/../secret",${rest}}`), 400, 'body_invalid'],
  ['F22 no name', post(`{"model":"acme/",${rest}}`), 400, 'body_invalid'],
  ['F22 three parts', post(`{"model":"acme/x/y",${rest}}`), 400, 'body_invalid'],
]

const framing: Row[] = [
  [
    'C01 length and chunks',
    {
      ...post('0\r\n\r\nGET /x HTTP/1.1\r\n\r\n', 'application/json', [
        'Content-Length: 4',
        'Transfer-Encoding: chunked',
      ]),
    },
    400,
    'request_malformed',
  ],
  [
    'C03 xchunked',
    { ...post('0\r\n\r\n', 'application/json', ['Transfer-Encoding: xchunked']) },
    400,
    undefined,
  ],
  [
    'C03 chunked, identity',
    { ...post('0\r\n\r\n', 'application/json', ['Transfer-Encoding: chunked, identity']) },
    400,
    undefined,
  ],
  [
    'C03 identity, chunked',
    { ...post('0\r\n\r\n', 'application/json', ['Transfer-Encoding: identity, chunked']) },
    400,
    undefined,
  ],
  [
    'C04 two lengths',
    { ...post('abcde', 'application/json', ['Content-Length: 4', 'Content-Length: 5']) },
    400,
    'request_malformed',
  ],
  [
    'C04 a signed length',
    { ...post('abcde', 'application/json', ['Content-Length: +4']) },
    400,
    'request_malformed',
  ],
  [
    'C04 a hexadecimal length',
    { ...post('abcde', 'application/json', ['Content-Length: 0x4']) },
    400,
    'request_malformed',
  ],
]

describe.each<[string, Row[]]>([
  ['targets', targets],
  ['headers', headers],
  ['methods', methods],
  ['bodies', bodies],
  ['framing', framing],
])('%s', (_, rows) => {
  const cases = rows.map(([id, line, status, reason, upstream = []]) => ({
    id,
    line,
    status,
    reason,
    upstream,
  }))
  test.each(cases)('$id', async ({ line, status, reason, upstream }) => {
    const answer = await sendRaw(it.url, bytesOf(line))
    expect({ status: answer.status, text: answer.text.slice(0, 200) }).toMatchObject({ status })
    // Facts about a model may be fetched once and are then remembered: they are no effect of the request.
    expect(effectsOf(it.hub).filter((effect) => !isLookup.test(effect))).toEqual(upstream)
    if (reason !== undefined) expect(reasonsSince()).toEqual([reason])
    for (const { rawHeaders } of it.hub.requests) expectClean(rawHeaders)
    for (const secret of it.hub.issued) {
      expect(answer.text.includes(secret)).toBe(false)
      expect(JSON.stringify(it.events.slice(seen)).includes(secret)).toBe(false)
    }
  })
})

const isLookup = /^GET \/api\/models\/[a-z]+\/[a-z-]+$/

/** Nothing that a client claims goes on, in any spelling. */
function expectClean(rawHeaders: readonly string[]): void {
  const names = rawHeaders
    .filter((_, i) => i % 2 === 0)
    .map((name) => name.toLowerCase().replace(/[^a-z0-9]/g, '-'))
  const reserved = names.filter(
    (name) =>
      /^x-(hfauth|forwarded|auth|user|remote|http-method|method|original|rewrite|real|hf|model|foo)/.test(
        name,
      ) ||
      [
        'cookie',
        'forwarded',
        'proxy',
        'proxy-authorization',
        'proxy-connection',
        'keep-alive',
        'te',
        'upgrade',
        'http2-settings',
      ].includes(name),
  )
  expect(reserved).toEqual([])
  const connection = rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === 'connection') + 1]
  // Our own client's, not a list that somebody sent.
  expect(connection?.toLowerCase()).toMatch(/^(?:keep-alive|close)$/)
}

describe('one connection', () => {
  test('is closed after a request that was malformed, and the next one is not read', async () => {
    const next = bytesOf({ target: info })
    const first = bytesOf({ target: '//x' }).replace('Connection: close\r\n', '')
    const { text } = await sendRaw(it.url, first + next)
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(effectsOf(it.hub)).toEqual([])
  })

  test('is closed when a refused body has not been read to its end', async () => {
    const bytes = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\nGET ${info} HTTP/1.1\r\nHost: a\r\n\r\n`
    const { text } = await sendRaw(it.url, bytes)
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  })

  test('carries three requests, each with its own decision, in order', async () => {
    const keep = (target: string) => bytesOf({ target }).replace('Connection: close\r\n', '')
    const last = bytesOf({ target: '/acme/vision-small/resolve/main/README.md' })
    const { text } = await sendRaw(it.url, keep(file) + keep('/other/secret/resolve/main/b') + last)
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '403', '200'])
    expect(reasonsSince()).toEqual(['allowed', expect.stringMatching(/_/), 'allowed'])
    expect(effectsOf(it.hub).filter((line) => line.includes('/secret/resolve'))).toEqual([])
  })
})

describe('answers of the proxy itself', () => {
  test('K07 a denial tells nothing of rules, groups or the resource, and one that exists reads like one that does not', async () => {
    const answers = await Promise.all(
      ['/acme/restricted/resolve/main/x', '/other/secret/resolve/main/x', '/acme/nowhere/resolve/main/x'].map(
        async (target) => sendRaw(it.url, bytesOf({ target })),
      ),
    )
    const bodies = answers.map(({ body }) => {
      const { requestId, ...problem } = JSON.parse(body) as Record<string, unknown>
      expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
      return problem
    })
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1)
    expect(bodies[0]).toEqual({
      type: 'urn:hfauth:problem:access_denied',
      title: 'Forbidden',
      status: 403,
      detail: 'You may not do this.',
      reason: 'access_denied',
    })
  })

  test('K06 the id of a request is made here', async () => {
    const { head } = await sendRaw(it.url, bytesOf({ headers: ['X-Request-Id: someone-else'] }))
    expect(head.toLowerCase()).toContain(`x-request-id: ${it.events.at(seen)?.requestId}`)
    expect(head).not.toContain('someone-else')
  })

  test('A04 the client on record is the socket’s, whatever a header says', async () => {
    await sendRaw(it.url, bytesOf({ headers: ['X-Forwarded-For: 192.0.2.1'] }))
    expect(it.events.at(seen)?.client?.ip).toBe('127.0.0.1')
  })

  test('A07 health is told to anyone, at its exact path', async () => {
    const get = (target: string) =>
      sendRaw(it.url, bytesOf({ target, token: undefined, headers: ['X-Hfauth-User: root'] }))
    expect(await get('/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}' })
    expect(await get('/healthz/')).toMatchObject({ status: 404 })
    expect(await get('/healthz?x')).toMatchObject({ status: 404 })
  })

  test('E06 a preflight gets no permission for any origin', async () => {
    const { status, head } = await sendRaw(
      it.url,
      bytesOf({
        method: 'OPTIONS',
        target: '/v1/chat/completions',
        token: undefined,
        headers: ['Origin: https://evil.test', 'Access-Control-Request-Method: POST'],
      }),
    )
    expect(status).toBe(204)
    expect(head.toLowerCase()).not.toContain('access-control-allow')
    expect(head).toMatch(/vary: Origin/i)
    expect(effectsOf(it.hub)).toEqual([])
  })

  test('what goes upstream is written from what was judged', async () => {
    await sendRaw(it.url, bytesOf(post(`{ "model" : "acme\\/text-chat",${rest} }`)))
    const sent = it.hub.requests.find(({ path }) => path === '/v1/chat/completions')
    expect(sent?.body.toString()).toBe(`{"model":"acme/text-chat",${rest}}`)
    expect(sent?.headers['content-type']).toBe('application/json')
  })
})
