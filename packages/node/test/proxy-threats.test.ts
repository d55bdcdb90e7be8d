/**
 * Attacks on an identity-aware proxy, as bytes: each row is the request, the answers on its connection, what is
 * on record and what reached the upstream. A question for health follows every request on the same connection:
 * where it is answered the framing was sound, and where it is not the connection was closed. Afterwards another
 * connection is served as ever.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sendRaw } from './proxy-fixture.ts'
import { commit, hfToken, lines, startThreatWorld, type ThreatWorld } from './threat-world.ts'

let world: ThreatWorld
beforeAll(async () => {
  world = await startThreatWorld()
})
afterAll(() => world.close())
beforeEach(() => world.reset())

const open = '/acme/open/resolve/main/config.json'
const alice = 'Authorization: Bearer <alice>'
const hub = 'Host: hub.gw.test'
const infer = 'Host: infer.gw.test'
const json = 'Content-Type: application/json'
const asked = '{"model":"acme/chat-small","messages":[{"role":"user","content":"x"}]}'

const get = (target: string, ...more: string[]) =>
  lines(`GET ${target} HTTP/1.1`, hub, alice, ...more, '', '')
const anonymous = (target: string, ...more: string[]) => lines(`GET ${target} HTTP/1.1`, hub, ...more, '', '')
const chat = (body: string, ...more: string[]) =>
  lines('POST /v1/chat/completions HTTP/1.1', infer, alice, json, ...more, 'Content-Length: …', '', body)
const framed = (body: string, ...more: string[]) =>
  lines('POST /v1/chat/completions HTTP/1.1', infer, alice, json, ...more, '', body)
const viewer = (query: string) => lines(`GET /rows?${query} HTTP/1.1`, 'Host: viewer.gw.test', alice, '', '')

type Row = readonly [
  title: string,
  request: string,
  statuses: readonly number[],
  /** On record: one for each request, and none for what is nobody's to decide (health, preflights). */
  reason: string | readonly string[] | undefined,
  upstream?: readonly string[],
]

const passed = [`GET ${open}`]
const answered = ['POST /v1/chat/completions']
const ambiguous = (title: string, target: string): Row => [title, get(target), [400], 'path_ambiguous']
const smuggled = (title: string, request: string): Row => [title, request, [400], 'request_malformed']

const rows: Row[] = [
  // A. Forged identity and forwarding headers.
  [
    'A01 underscores',
    get(open, 'X_Hfauth_User: root', 'X_Forwarded_User: root'),
    [200, 200],
    'allowed',
    passed,
  ],
  [
    'A02 dots and tildes',
    get(open, 'X.Hfauth.User: root', 'X~Hfauth~User: root', 'X-HFAUTH-user: root'),
    [200, 200],
    'allowed',
    passed,
  ],
  [
    'A03 a path from a header',
    anonymous(
      '/api/models/acme/secret',
      'X-Forwarded-Uri: /healthz',
      'X-Original-URL: /healthz',
      'X-Rewrite-URL: /healthz',
    ),
    [401, 200],
    'authentication_required',
  ],
  [
    'A04 a forwarded address that nobody trusts',
    anonymous(
      '/api/models/acme/secret',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Uri: /healthz',
    ),
    [401, 200],
    'authentication_required',
  ],
  [
    'A07 a preflight with an identity',
    lines(
      'OPTIONS /acme/open HTTP/1.1',
      hub,
      'X-Hfauth-User: root',
      'Origin: https://evil.test',
      'Access-Control-Request-Method: GET',
      '',
      '',
    ),
    [204, 200],
    undefined,
  ],
  ...['kube-probe/1.31', 'GoogleHC/1.0', 'ELB-HealthChecker/2.0'].map(
    (agent): Row => [
      `A08 ${agent}`,
      anonymous('/api/models/acme/secret', `User-Agent: ${agent}`),
      [401, 200],
      'authentication_required',
    ],
  ),
  ['A09 a wish who is to pay', chat(asked, 'X-HF-Bill-To: rich-org'), [200, 200], 'allowed', answered],
  ['A09 the same with underscores', chat(asked, 'X_HF_Bill_To: rich-org'), [200, 200], 'allowed', answered],
  [
    'A11 one header three times',
    get(open, 'X-Hfauth-User: root', 'x-hfauth-user: admin', 'X-HFAUTH-USER:'),
    [200, 200],
    'allowed',
    passed,
  ],

  // B. Target and path.
  ambiguous('B01 dot segments', '/acme/open/resolve/main/../../../secret/resolve/main/config.json'),
  ambiguous('B02 encoded dots', '/acme/open/%2e%2e/secret/resolve/main/config.json'),
  ambiguous('B02 half encoded dots', '/acme/open/.%2E/secret/resolve/main/config.json'),
  ambiguous('B02 dots encoded twice', '/acme/open/%252e%252e/secret/resolve/main/config.json'),
  ambiguous('B03 an encoded slash', '/acme%2Fsecret/resolve/main/config.json'),
  ambiguous('B03 an encoded slash under the API', '/api/models/acme%2Fopen'),
  [
    'B03 a pull request as revision',
    get('/acme/open/resolve/refs%2Fpr%2F1/config.json'),
    [200, 200],
    'allowed',
    ['GET /acme/open/resolve/refs%2Fpr%2F1/config.json'],
  ],
  ambiguous('B04 an empty segment', '/acme//secret/resolve/main/config.json'),
  ambiguous('B04 two slashes first', '//acme/open'),
  ambiguous('B04 two slashes in the API', '/api//models/acme/secret'),
  ambiguous('B04 health behind slashes', '///healthz'),
  ambiguous('B04 a host behind slashes', '//evil.test/x'),
  ['B06 backslashes', anonymous('/healthz\\..\\api\\models\\acme\\secret'), [400], 'path_ambiguous'],
  ambiguous('B06 one backslash', '/acme\\open'),
  ambiguous('B06 an encoded backslash', '/acme%5Copen/resolve/main/x'),
  ['B07 a fragment', anonymous('/api/models/acme/secret#/healthz'), [400], 'path_ambiguous'],
  [
    'B08 a query like a path',
    anonymous('/api/models/acme/secret?x=/healthz'),
    [401, 200],
    'authentication_required',
  ],
  [
    'B08 the same without a name',
    anonymous('/api/models/acme/secret?/healthz'),
    [401, 200],
    'authentication_required',
  ],
  ambiguous('B09 NUL', '/acme/open%00/resolve/main/config.json'),
  ambiguous('B09 CR LF', '/acme/open%0d%0aX:%20y/resolve/main/x'),
  smuggled('B09 CR LF with a space behind it', get('/acme/open%0d%0aX: y')),
  smuggled('B09 the byte 0x01', get('/acme/open\u0001/resolve/main/x')),
  smuggled('B09 the byte 0x7f', get('/acme/open\u007f/resolve/main/x')),
  smuggled('B09 the byte 0xff', get('/acme/open\u00ff/resolve/main/x')),
  ambiguous('B11 a Cyrillic а', '/%D0%B0cme/open/resolve/main/config.json'),
  smuggled('B11 the same as bytes', get('/\u00d0\u00b0cme/open/resolve/main/config.json')),
  ambiguous('B11 a combining accent', '/acme/o%CC%88pen/resolve/main/x'),
  ambiguous('B11 a full-width slash', '/acme%EF%BC%8Fopen/resolve/main/x'),
  smuggled('B11 the same as bytes of its own', get('/acme\u00ef\u00bc\u008fopen/resolve/main/x')),
  ambiguous('B11 a combining accent in an address of nothing', '/acme/o%CC%88pen'),
  [
    'B12 another case of what nobody may reach',
    get('/Acme/Secret/resolve/main/config.json'),
    [403, 200],
    'no_matching_rule',
  ],
  [
    'B12 another case of what she may read',
    get('/ACME/Open/resolve/main/x'),
    [200, 200],
    'allowed',
    ['GET /ACME/Open/resolve/main/x'],
  ],
  ['B12 another case of a route', get('/API/models/acme/secret'), [404, 200], 'route_unknown'],
  ['B12 another case of a verb', get('/acme/open/RESOLVE/main/x'), [404, 200], 'route_unknown'],
  ambiguous('B13 absolute form with user-info', 'http://hub.gw.test@evil.test/acme/secret'),
  ambiguous('B13 absolute form of another host', 'http://evil.test/x'),
  [
    'B13 authority form',
    lines('CONNECT evil.test:443 HTTP/1.1', 'Host: evil.test:443', alice, '', ''),
    [405],
    'method_unknown',
  ],
  ['B13 asterisk form', lines('OPTIONS * HTTP/1.1', hub, alice, '', ''), [405, 200], 'method_unknown'],
  ambiguous('B14 broken encoding', '/%zz'),
  ambiguous('B14 encoding cut off', '/a%'),
  ['B14 nine kilobytes', get(`/${'a'.repeat(9_000)}`), [414], 'target_too_long'],
  smuggled('B14 an empty target', lines('GET  HTTP/1.1', hub, alice, '', '')),
  ['B16 another upstream by a header', get(open, 'X-Canary: internal'), [200, 200], 'allowed', passed],
  ...['/', '.json'].map(
    (end): Row => [
      `B17 ${end} behind it`,
      get(`/api/models/acme/secret${end}`),
      end === '/' ? [404, 200] : [403, 200],
      end === '/' ? 'route_unknown' : 'no_matching_rule',
    ],
  ),
  ['B17 a dot behind it', get('/api/models/acme/secret.'), [403, 200], 'no_matching_rule'],
  ambiguous('B17 a slash and a dot behind it', '/api/models/acme/secret/.'),
  ...['0123456', 'main', `${commit.slice(0, -1)}g`].map(
    (revision): Row => [
      `B18 ${revision} is no commit`,
      lines(
        `GET /acme/ranker/resolve/${revision}/model.safetensors HTTP/1.1`,
        hub,
        'Authorization: Bearer <ci>',
        '',
        '',
      ),
      [403, 200],
      'no_matching_rule',
    ],
  ),
  [
    'B18 the commit itself',
    lines(`GET /acme/ranker/resolve/${commit}/x HTTP/1.1`, hub, 'Authorization: Bearer <ci>', '', ''),
    [200, 200],
    'allowed',
    [`GET /acme/ranker/resolve/${commit}/x`],
  ],
  ...[
    '/datasets/resolve/main/config.json',
    '/gpt2/resolve/main/config.json',
    '/api/models/gpt2',
    '/spaces',
    '/api',
  ].map((target): Row => [`B19 ${target}`, get(target), [404, 200], 'route_unknown']),

  // C. Framing.
  smuggled(
    'C01 a length and chunks',
    lines(
      'POST /v1/chat/completions HTTP/1.1',
      infer,
      alice,
      'Content-Length: 4',
      'Transfer-Encoding: chunked',
      '',
      '0',
      '',
      'GET /api/models/acme/secret HTTP/1.1',
      hub,
      '',
      '',
    ),
  ),
  smuggled(
    'C02 chunks and a length',
    lines(
      'POST /v1/chat/completions HTTP/1.1',
      infer,
      alice,
      json,
      'Transfer-Encoding: chunked',
      'Content-Length: 4',
      '',
      '32',
      'GET /api/models/acme/secret HTTP/1.1',
      'Host: hub.gw',
      '',
      '0',
      '',
      '',
    ),
  ),
  ...[
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity, chunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding : chunked',
    'transfer-encoding: "chunked"',
    'X: y\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\u000b',
  ].map((header) =>
    smuggled(`C03 ${JSON.stringify(header)}`, framed('0\r\n\r\n', 'Content-Length: 5', header)),
  ),
  smuggled(
    'C03 a tab before `chunked`',
    framed('0\r\n\r\n', 'Content-Length: 5', 'Transfer-Encoding:\tchunked'),
  ),
  ...['4\r\nContent-Length: 5', '4\r\nContent-Length: 4', '+4', '4,4', '0x4', '-0', '9'.repeat(30), ''].map(
    (length) =>
      smuggled(`C04 the length ${JSON.stringify(length)}`, framed('abcde', `Content-Length: ${length}`)),
  ),
  // Space behind a value is no part of it (RFC 9110 §5.5), and Node shows none. What goes on has the four bytes.
  ['C04 a length with space behind it', framed('{}', 'Content-Length: 2 \t'), [400], 'body_invalid'],
  [
    'C04 the same before five bytes, of which the last begins what is no request',
    lines(
      'POST /v1/chat/completions HTTP/1.1',
      infer,
      alice,
      'Content-Length: 4 \t',
      '',
      'abcdeGET / HTTP/1.1\r\n\r\n',
    ),
    [415],
    'body_type',
  ],
  ...['X-A : b', ': b', 'X(A): b', 'X\u0080: b', 'X-A: b\u0000c', 'X-A: b\rc', 'no colon'].map((header) =>
    smuggled(`C06 the header ${JSON.stringify(header)}`, get(open, header)),
  ),
  smuggled(
    'C06 a space behind `Authorization`',
    lines(`GET ${open} HTTP/1.1`, hub, 'Authorization : Bearer <alice>', '', ''),
  ),
  smuggled('C06 a folded line', get(open, 'X-A: b', ' folded')),
  ['C07 two spaces', lines(`GET  ${open} HTTP/1.1`, hub, alice, '', ''), [200, 200], 'allowed', passed],
  smuggled('C07 a tab', lines(`GET\t${open} HTTP/1.1`, hub, alice, '', '')),
  smuggled('C07 LF alone', `GET ${open} HTTP/1.1\nHost: hub.gw.test\nAuthorization: Bearer <alice>\n\n`),
  smuggled('C07 CR alone', `GET ${open} HTTP/1.1\rHost: hub.gw.test\rAuthorization: Bearer <alice>\r\r`),
  ['C07 blank lines first', `${'\r\n'.repeat(5)}${get(open)}`, [200, 200], 'allowed', passed],
  smuggled('C07 a space behind the version', lines(`GET ${open} HTTP/1.1 `, hub, alice, '', '')),
  smuggled('C07 no version', lines(`GET ${open}`, hub, alice, '', '')),
  ['C08 two hosts', get(open, infer), [400], 'header_forbidden'],
  ['C08 two credentials', get(open, 'Authorization: Bearer <bob>'), [400], 'header_forbidden'],
  ...['a@hub.gw.test', 'hub.gw.test,infer.gw.test', 'hub.gw.test:99999'].map(
    (host): Row => [
      `C08 the host ${host}`,
      lines(`GET ${open} HTTP/1.1`, `Host: ${host}`, alice, '', ''),
      [400],
      'header_forbidden',
    ],
  ),
  smuggled('C08 no host', lines(`GET ${open} HTTP/1.1`, alice, '', '')),
  ['C08 two media types', chat(asked, 'Content-Type: text/plain'), [400], 'header_forbidden'],
  [
    'C09 a body on GET',
    lines(
      `GET ${open} HTTP/1.1`,
      hub,
      alice,
      'Content-Length: …',
      '',
      'GET /api/models/acme/secret HTTP/1.1\r\nHost: hub.gw.test\r\n\r\n',
    ),
    [400],
    'body_unexpected',
  ],
  smuggled(
    'C09 HTTP/1.0 with chunks',
    lines(
      'POST /v1/chat/completions HTTP/1.0',
      infer,
      alice,
      json,
      'Transfer-Encoding: chunked',
      '',
      '0',
      '',
      '',
    ),
  ),
  smuggled('C09 HTTP/0.9', `GET ${open} HTTP/0.9\r\n\r\n`),
  smuggled('C09 HTTP/2.0', lines(`GET ${open} HTTP/2.0`, hub, alice, '', '')),
  ['C09 an unknown expectation', get(open, 'Expect: 200-ok'), [417, 200], 'expectation_unknown'],
  [
    'C11 three requests of which one is denied',
    `${get('/acme/open/resolve/main/a')}${get('/acme/secret/resolve/main/b')}${get('/acme/open/resolve/main/c')}`,
    [200, 403, 200, 200],
    ['allowed', 'no_matching_rule', 'allowed'],
    ['GET /acme/open/resolve/main/a', 'GET /acme/open/resolve/main/c'],
  ],
  [
    'C12 a long body behind a refusal',
    lines(
      'POST /v1/chat/completions HTTP/1.1',
      infer,
      json,
      'Content-Length: 10000000',
      '',
      'GET /api/models/acme/secret HTTP/1.1\r\nHost: hub.gw.test\r\n\r\n'.repeat(1000),
    ),
    [413],
    'body_too_large',
  ],

  // D. Hop by hop.
  [
    'D01 our own headers',
    get(open, 'Connection: X-Hfauth-User, X-Hfauth-Assertion, X-Forwarded-For'),
    [200, 200],
    'allowed',
    passed,
  ],
  [
    'D01 the same on a connection that ends',
    get(open, 'Connection: close, X-Hfauth-User, X-Hfauth-Assertion, X-Forwarded-For'),
    [200],
    'allowed',
    passed,
  ],
  ...['Content-Length', 'Authorization', 'Host', 'Cookie'].map(
    (name): Row => [`D02 ${name}`, chat(asked, `Connection: ${name}`), [200, 200], 'allowed', answered],
  ),
  ['D02 the length of what names no model', chat('{}', 'Connection: Content-Length'), [400], 'body_invalid'],
  [
    'D03 what concerns one hop',
    get(
      open,
      'Connection: keep-alive, X-Foo',
      'Keep-Alive: timeout=9999',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic eDp5',
      'TE: gzip, trailers',
      'X-Foo: 1',
    ),
    [200, 200],
    'allowed',
    passed,
  ],
  ...['h2c', 'HTTP/2.0', 'TLS/1.0', 'websocket, h2c'].map(
    (protocol): Row => [
      `D04 an upgrade to ${protocol}`,
      get(
        open,
        'Connection: Upgrade, HTTP2-Settings',
        `Upgrade: ${protocol}`,
        'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
      ),
      // Answered as if not asked; the connection ends with it.
      [200],
      'allowed',
      passed,
    ],
  ),

  [
    'D04 an upgrade to h2c where there is nothing',
    get(
      '/acme/open',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    ),
    [404],
    'route_unknown',
  ],
  // E. Methods.
  [
    'E01 other methods by header, query and body',
    lines(
      'POST /api/models/acme/open/paths-info/main?_method=DELETE HTTP/1.1',
      hub,
      alice,
      'X-HTTP-Method-Override: DELETE',
      'X-Method-Override: DELETE',
      'X-HTTP-Method: DELETE',
      'Content-Type: application/x-www-form-urlencoded',
      'Content-Length: 14',
      '',
      '_method=DELETE',
    ),
    [200, 200],
    'allowed',
    ['POST /api/models/acme/open/paths-info/main?_method=DELETE'],
  ],
  ...['PROPFIND', 'TRACE'].map(
    (method): Row => [
      `E02 ${method}`,
      lines(`${method} ${open} HTTP/1.1`, hub, alice, '', ''),
      [405, 200],
      'method_unknown',
    ],
  ),
  ...['get', 'FOO', 'TRACK', 'DEBUG'].map((method) =>
    smuggled(`E02 ${method}`, lines(`${method} ${open} HTTP/1.1`, hub, alice, '', '')),
  ),
  [
    'E02 OPTIONS without a preflight',
    lines(`OPTIONS ${open} HTTP/1.1`, hub, alice, '', ''),
    [405, 200],
    'method_unknown',
  ],
  ...['/api/models/acme/open/xet-write-token/main', '/acme/open.git/info/refs?service=git-receive-pack'].map(
    (target): Row => [
      `E03 ${target}`,
      lines(`GET ${target} HTTP/1.1`, hub, 'Authorization: Bearer <bob>', '', ''),
      [403, 200],
      'environment_ceiling',
    ],
  ),
  [
    'E04 paths-info',
    lines(
      'POST /api/models/acme/open/paths-info/main HTTP/1.1',
      hub,
      alice,
      json,
      'Content-Length: …',
      '',
      '{"paths":["config.json"]}',
    ),
    [200, 200],
    'allowed',
    ['POST /api/models/acme/open/paths-info/main'],
  ],
  [
    'E04 git-upload-pack',
    lines('POST /acme/open.git/git-upload-pack HTTP/1.1', hub, alice, 'Content-Length: …', '', '0000'),
    [200, 200],
    'allowed',
    ['POST /acme/open.git/git-upload-pack'],
  ],
  ...['https://hub.gw.test.evil.test', 'https://evil.test', 'null'].map(
    (origin): Row => [
      `E06 the origin ${origin}`,
      chat(asked, `Origin: ${origin}`),
      [200, 200],
      'allowed',
      answered,
    ],
  ),

  ...['https://hub.gw.test.evil.test', 'https://evil.test', 'null'].map(
    (origin): Row => [`E06 the preflight of ${origin}`, preflight(origin), [204, 200], undefined],
  ),

  // F. The resource is in the body.
  ...[
    '{"model":"acme/chat-small","model":"acme/secret"}',
    '{"model":"acme/secret","model":"acme/chat-small"}',
    '{"model":"acme/chat-small","provider":"a","provider":"b"}',
    '{"mod\\u0065l":"acme/secret","model":"acme/chat-small"}',
    '{"Model":"acme/secret","model":"acme/chat-small"}',
    '{"model ":"acme/secret","model":"acme/chat-small"}',
  ].map((body): Row => [`F01 F02 ${body}`, chat(body), [400], 'body_ambiguous']),
  ...['gzip', 'br', 'identity, gzip'].map(
    (encoding): Row => [
      `F04 ${encoding}`,
      chat(asked, `Content-Encoding: ${encoding}`),
      [415],
      'body_encoded',
    ],
  ),
  ['F04 UTF-7', chat('+AHs-+ACI-model+ACI-:+ACI-acme/secret+ACI-+AH0-'), [400], 'body_ambiguous'],
  [
    'F06 a million keys, which are more than a body may have bytes',
    chat(`{"model":"acme/chat-small",${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":0`).join()}}`),
    [413],
    'body_too_large',
  ],
  [
    'F06 a hundred thousand keys',
    chat(`{"model":"acme/chat-small",${Array.from({ length: 100_001 }, (_, i) => `"${i}":0`).join()}}`),
    [400],
    'body_ambiguous',
  ],
  [
    'F06 a hundred thousand values',
    chat(`{"model":"acme/chat-small","x":[${'0,'.repeat(100_001)}0]}`),
    [400],
    'body_ambiguous',
  ],
  [
    'F06 a constructor',
    chat('{"constructor":{"prototype":{"model":"x"}},"model":"acme/chat-small"}'),
    [400],
    'body_ambiguous',
  ],
  ...[':hf-inference:together', '@rev'].map(
    (suffix): Row => [
      `F07 the suffix ${suffix}`,
      chat(`{"model":"acme/chat-small${suffix}"}`),
      [400],
      'body_invalid',
    ],
  ),
  ['F07 an unknown suffix', chat('{"model":"acme/chat-small:a:b"}'), [400], 'body_invalid'],
  [
    'F08 models to fall back on',
    chat('{"model":"acme/chat-small","models":["acme/secret"]}'),
    [400],
    'body_ambiguous',
  ],
  ['F09 an alias', chat('{"model":"team-fast"}'), [400], 'body_invalid'],
  [
    'F12 a path to what she may not use and a body with what she may',
    lines(
      'POST /hf-inference/models/acme/secret/v1/chat/completions HTTP/1.1',
      infer,
      alice,
      json,
      'Content-Length: …',
      '',
      asked,
    ),
    [400],
    'body_ambiguous',
  ],
  [
    'F12 a path and a body that disagree',
    lines(
      'POST /hf-inference/models/acme/chat-small/v1/chat/completions HTTP/1.1',
      infer,
      alice,
      json,
      'Content-Length: …',
      '',
      '{"model":"acme/secret"}',
    ),
    [400],
    'body_ambiguous',
  ],
  [
    'F12 a path and a body that agree',
    lines(
      'POST /hf-inference/models/acme/chat-small/v1/chat/completions HTTP/1.1',
      infer,
      alice,
      json,
      'Content-Length: …',
      '',
      '{"model":"acme/chat-small"}',
    ),
    [200, 200],
    'allowed',
    ['POST /hf-inference/models/acme/chat-small/v1/chat/completions'],
  ],
  [
    'F16 a move out of the organisation',
    lines(
      'POST /api/repos/move HTTP/1.1',
      hub,
      'Authorization: Bearer <bob>',
      json,
      'Content-Length: …',
      '',
      '{"fromRepo":"acme/open","toRepo":"evil/open","type":"model"}',
    ),
    [403, 200],
    'environment_ceiling',
  ],
  ...['create', 'delete'].map(
    (verb): Row => [
      `F16 ${verb} without a type`,
      lines(
        `${verb === 'create' ? 'POST' : 'DELETE'} /api/repos/${verb} HTTP/1.1`,
        hub,
        'Authorization: Bearer <bob>',
        json,
        'Content-Length: …',
        '',
        '{"name":"open","organization":"acme"}',
      ),
      [403, 200],
      'environment_ceiling',
    ],
  ),
  [
    'F17 one dataset',
    viewer('dataset=acme%2Fdata&config=default'),
    [200, 200],
    'allowed',
    ['GET /rows?dataset=acme%2Fdata&config=default'],
  ],
  ['F17 two datasets', viewer('dataset=acme/data&dataset=acme/secret'), [400], 'path_ambiguous'],
  ['F17 another one in brackets', viewer('dataset=acme/data&dataset[]=acme/secret'), [400], 'path_ambiguous'],
  ['F17 another one in capitals', viewer('dataset=acme/data&Dataset=acme/secret'), [400], 'path_ambiguous'],
  ['F17 only in capitals', viewer('Dataset=acme/data'), [404, 200], 'route_unknown'],
  ['F17 a dataset that she may not read', viewer('dataset=acme/secret'), [403, 200], 'no_matching_rule'],
  [
    'F18 a form with files',
    lines(
      'POST /v1/chat/completions HTTP/1.1',
      infer,
      alice,
      'Content-Type: multipart/form-data; boundary=x',
      'Content-Length: …',
      '',
      '--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nacme/chat-small\r\n--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nacme/secret\r\n--x--\r\n',
    ),
    [415],
    'body_type',
  ],
  ...[
    '"tools":[{"type":"mcp","server_url":"http://169.254.169.254/"}]',
    '"base_url":"https://evil.test"',
    '"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://evil.test/x.png"}}]}]',
  ].map((more): Row => [`F19 ${more}`, chat(`{"model":"acme/chat-small",${more}}`), [403, 200], 'body_url']),
  [
    'F19 an image in the body itself',
    chat(
      '{"model":"acme/chat-small","messages":[{"content":[{"image_url":{"url":"data:image/png;base64,AA=="}}]}]}',
    ),
    [200, 200],
    'allowed',
    answered,
  ],
  [
    'F20 many inputs for a model, on a route that is not described',
    lines(
      'POST /v1/embeddings HTTP/1.1',
      infer,
      alice,
      json,
      'Content-Length: …',
      '',
      '[{"model":"acme/chat-small"},{"model":"acme/secret"}]',
    ),
    // Its body is not read: there is nothing that it could be for.
    [404],
    'route_unknown',
  ],
  ['F22 another owner that begins alike', chat('{"model":"acme-evil/x"}'), [403, 200], 'no_matching_rule'],
  [
    'F22 an endpoint is what its address says, whatever model a body names',
    lines(
      'POST / HTTP/1.1',
      'Host: ep1.gw.test',
      alice,
      json,
      'Content-Length: …',
      '',
      '{"model":"acme/secret"}',
    ),
    [200, 200],
    'allowed',
    ['POST /'],
  ],
  [
    'F22 the same address in capitals',
    lines('GET /v1/models HTTP/1.1', 'Host: EP1.gw.test', alice, '', ''),
    [200, 200],
    'allowed',
    ['GET /v1/models'],
  ],
  ...['ep1.gw.test.', 'ep1.gw.test:443', 'ep2.gw.test'].map(
    (host): Row => [
      `F22 the address ${host} is none`,
      lines('GET / HTTP/1.1', `Host: ${host}`, alice, '', ''),
      [421, 200],
      'host_unknown',
    ],
  ),

  // H, J, K, M: what else can be said in one request.
  [
    'H14 cookies',
    get(open, 'Cookie: theme=dark; __Host-hfauth=<alice>; __Host-hfauth-pre=x'),
    [200, 200],
    'allowed',
    passed,
  ],
  [
    'H12 a page that nobody may see',
    anonymous('/acme/secret/resolve/main/config.json', 'Accept: text/html'),
    [401, 200],
    'authentication_required',
  ],
  [
    'H13 an API caller',
    anonymous('/api/models/acme/open', 'Accept: application/json'),
    [401, 200],
    'authentication_required',
  ],
  ...[
    '169.254.169.254',
    'localhost:9901',
    'ep.evil.test',
    '127.0.0.1.nip.test',
    '[::1]',
    '0x7f.1',
    '2130706433',
    'ep1.us-east-1.aws.endpoints.huggingface.cloud.evil.test',
  ].map(
    (host): Row => [
      `J01 J02 the host ${host}`,
      lines('GET / HTTP/1.1', `Host: ${host}`, alice, '', ''),
      [421, 200],
      'host_unknown',
    ],
  ),
  [
    'J02 a host with user-info',
    lines('GET / HTTP/1.1', 'Host: http://a@b', alice, '', ''),
    [400],
    'header_forbidden',
  ],
  ['J11 a Proxy header', get(open, 'Proxy: http://evil.test:3128'), [200, 200], 'allowed', passed],
  ['K08 an unknown route', get('/no/such/route/at/all'), [404, 200], 'route_unknown'],
  [
    'L02 65 fields',
    get(open, ...Array.from({ length: 63 }, (_, i) => `X-A${i}: b`)),
    [431],
    'headers_too_large',
  ],
  ['L02 17 KiB', get(open, `X-A: ${'a'.repeat(17_408)}`), [431], 'headers_too_large'],
  ['L02 a target of 5 KiB', get(`/${'a'.repeat(5_120)}`), [414], 'target_too_long'],
  ['L03 a cookie of 100 kB', get(open, `Cookie: ${'a=b; '.repeat(20_000)}`), [431], 'headers_too_large'],
  [
    'L03 a thousand empty cookies',
    get(open, `Cookie: ${';;;;=;a;=b;'.repeat(1_000)}`),
    [431],
    'headers_too_large',
  ],
  ['L03 32 cookies', get(open, `Cookie: ${'a=b; '.repeat(31)}a=b`), [200, 200], 'allowed', passed],
  [
    'L03 33 cookies in two lines',
    get(open, `Cookie: ${'a=b; '.repeat(31)}a=b`, 'Cookie: ;'),
    [431],
    'headers_too_large',
  ],
  [
    'L03 a thousand pairs of cookies in 100 kB',
    get(open, `Cookie: ${';;;;=;a;=b; '.repeat(1_000)}${'c=d; '.repeat(18_000)}`),
    [431],
    'headers_too_large',
  ],
  [
    'L03 a cookie beyond ASCII',
    get(open, 'Cookie: \u00fc=\u00ff; a=\u00c3\u00bc'),
    [400],
    'header_forbidden',
  ],
  [
    'L06 names in a body that are made to collide',
    chat(
      `{"model":"acme/chat-small",${Array.from({ length: 20_000 }, (_, i) => `"${i * 2 ** 20}":0`).join()}}`,
    ),
    [200, 200],
    'allowed',
    answered,
  ],
  ['L04 a name made for a slow pattern', chat(`{"model":"acme/${'a'.repeat(95)}!"}`), [400], 'body_invalid'],
  ...['/metrics', '/admin', '/config', '/debug', '/.well-known/hfauth/reload'].flatMap((path): Row[] => [
    [`M01 ${path} with her token`, get(path), [404, 200], 'route_unknown'],
    [
      `M01 ${path} with his`,
      lines(`GET ${path} HTTP/1.1`, hub, 'Authorization: Bearer <bob>', '', ''),
      [404, 200],
      'route_unknown',
    ],
    [`M01 ${path} with none`, anonymous(path), [404, 200], 'route_unknown'],
  ]),
  ...[[alice], ['Authorization: Bearer <bob>'], []].map(
    (credential): Row => [
      `M01 a reload asked for with ${credential[0] ?? 'nothing'}`,
      lines(
        'POST /.well-known/hfauth/reload HTTP/1.1',
        hub,
        ...credential,
        json,
        'Content-Length: 2',
        '',
        '{}',
      ),
      // Its body is not read: there is nothing that it could be for.
      [404],
      'route_unknown',
    ],
  ),
]

const cases = rows.map(([title, request, statuses, reason, upstream = []]) => ({
  title,
  request,
  statuses,
  reason,
  upstream,
}))
/** Without the answer to the question for health, which is not read any more; and one request each. */
const lastOnes = cases
  .filter(({ statuses }) => statuses.length <= 2)
  .map((one) => ({ ...one, statuses: one.statuses.slice(0, 1) }))

describe.each([
  ['comes first on its connection', {}, cases],
  ['comes behind another', { second: true }, cases],
  ['ends its connection', { last: true }, lastOnes],
  ['comes behind another and ends its connection', { second: true, last: true }, lastOnes],
])('a request that %s', (_, options, cases) => {
  test.each(cases)('$title', async ({ request, statuses, reason, upstream }) => {
    const reply = await world.send(request, options)
    expect({ statuses: reply.statuses, lines: reply.lines }).toEqual({ statuses, lines: upstream })
    expect(reply.reasons).toEqual(reason === undefined ? [] : [reason].flat())
    for (const { rawHeaders } of world.arrived) expectClean(rawHeaders)
    for (const token of [...Object.values(world.tokens), hfToken]) {
      expect(reply.text.includes(token)).toBe(false)
      expect(JSON.stringify(world.fixture.events).includes(token)).toBe(false)
    }
    expect(reply.text).not.toMatch(/^(?:access-control-|location:)/im)
    if (statuses[0] === 401) {
      expect(reply.text).toMatch(/^www-authenticate: Bearer\r$/im)
      expect(reply.text).toMatch(/^content-type: application\/problem\+json\r$/im)
    }
    if ((statuses[0] ?? 0) >= 400) expect(reply.text).toMatch(/^cache-control: no-store\r$/im)
    expect(await world.send(get(open))).toMatchObject({ statuses: [200, 200], lines: passed })
  })
})

function preflight(origin: string): string {
  return lines(
    'OPTIONS /v1/chat/completions HTTP/1.1',
    infer,
    `Origin: ${origin}`,
    'Access-Control-Request-Method: POST',
    'Access-Control-Request-Headers: authorization',
    '',
    '',
  )
}

/** Nothing of what a client claims has come through, and exactly one credential. */
function expectClean(rawHeaders: readonly string[]): void {
  const names = rawHeaders
    .filter((_, i) => i % 2 === 0)
    .map((name) => name.toLowerCase().replace(/[^a-z0-9]/g, '-'))
  const allowed =
    /^(?:host|connection|accept|accept-encoding|accept-language|authorization|content-length|content-type|transfer-encoding|user-agent|git-protocol)$/
  expect(names.filter((name) => !allowed.test(name))).toEqual([])
  const value = (name: string) =>
    rawHeaders[rawHeaders.findIndex((key) => key.toLowerCase() === name) + 1] ?? ''
  expect(value('authorization')).toMatch(
    new RegExp(`^(?:Bearer ${hfToken}|Basic ${Buffer.from(`token:${hfToken}`).toString('base64')})$`),
  )
  expect(value('connection')).toMatch(/^(?:keep-alive|close)$/i)
}

test('A09 that somebody tried to say who pays is on record', async () => {
  await world.send(chat(asked, 'X-HF-Bill-To: rich-org'))
  const event = world.fixture.events.findLast(({ type }) => type === 'io.hfauth.decision')
  expect(event).toMatchObject({ decision: { effect: 'allow' }, error: 'billing_ignored' })
})

test.each(['X-Model', 'x_hf_model', 'X-Model-Id'])(
  'F11 that a model was named in `%s` is on record',
  async (name) => {
    const { lines: upstream } = await world.send(chat(asked, `${name}: acme/secret`))
    const event = world.fixture.events.findLast(({ type }) => type === 'io.hfauth.decision')
    expect(event).toMatchObject({
      decision: { effect: 'allow' },
      resource: { kind: 'model', id: 'acme/chat-small' },
      error: 'model_ignored',
    })
    expect(upstream).toEqual(answered)
  },
)

test.each([
  ['D07 with a cookie from elsewhere', ['Origin: https://evil.test', 'Cookie: __Host-hfauth=<alice>']],
  ['D08 with a token among its protocols', ['Sec-WebSocket-Protocol: bearer.<alice>, v1']],
])('%s a WebSocket to the Hub is to nothing, as the Hub has none', async (_, more) => {
  const from = world.fixture.events.length
  const request = lines(
    'GET /queue/join HTTP/1.1',
    hub,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...more,
    '',
    '',
  )
  const { status, text } = await sendRaw(world.fixture.url, request.replaceAll('<alice>', world.tokens.alice))
  const events = JSON.stringify(world.fixture.events.slice(from))
  expect([status, world.arrived]).toEqual([404, []])
  expect(events).toContain('"reason":"route_unknown"')
  expect(events + text).not.toContain(world.tokens.alice)
})

test('C12 ten megabytes behind a refusal are no requests', async () => {
  const next = 'GET /api/models/acme/secret HTTP/1.1\r\nHost: hub.gw.test\r\n\r\n'
  const head = ['POST /v1/chat/completions HTTP/1.1', infer, json, 'Content-Length: 10000000', '', '']
  const reply = await world.send(lines(...head) + next.repeat(10_000_000 / next.length))
  // Whoever goes on writing to what is closed may miss even the refusal.
  expect(reply.statuses.filter((status) => status !== 413)).toEqual([])
  expect([reply.reasons, reply.lines]).toEqual([['body_too_large'], []])
})

test.each(['https://hub.gw.test.evil.test', 'https://evil.test', 'null'])(
  'E06 what is said to the origin %s is said to no other, and so to caches',
  async (origin) => {
    for (const request of [
      preflight(origin),
      chat(asked, `Origin: ${origin}`),
      anonymous(open, `Origin: ${origin}`),
    ]) {
      const { text } = await world.send(request)
      expect(text).toMatch(/^vary:.*\bOrigin\b/im)
      expect(text).not.toMatch(/^access-control-/im)
    }
  },
)

test('B03 a revision is on record as it is called, not as it was written', async () => {
  await world.send(get('/acme/open/resolve/refs%2Fpr%2F1/config.json'))
  const event = world.fixture.events.findLast(({ type }) => type === 'io.hfauth.decision')
  expect(event?.resource).toEqual({
    kind: 'model',
    id: 'acme/open',
    revision: 'refs/pr/1',
    path: 'config.json',
  })
})

test('H13 an API caller gets JSON and a challenge, never a page', async () => {
  const { text } = await world.send(anonymous('/api/models/acme/open', 'X-Requested-With: x'))
  expect(text).toMatch(/www-authenticate: Bearer\r\n/i)
  expect(text).toMatch(/content-type: application\/problem\+json/i)
})

test('K01 K02 what a request says is on one line, without controls and without what it was not asked', async () => {
  await world.send(
    get(
      '/acme/secret/resolve/main/x%1b',
      'User-Agent: canary-SECRET-1 \u00e9{"effect":"allow"}',
      'Cookie: a=canary-SECRET-2',
    ),
  )
  await world.send(get('/acme/secret/resolve/main/x?token=canary-SECRET-3', 'User-Agent: =cmd()'))
  const line = JSON.stringify(world.fixture.events)
  expect(line).not.toMatch(/canary-SECRET-[23]/)
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
})

test('K01 K02 nor do a name, a model or a body break the line, or leave a secret in it', async () => {
  const from = world.fixture.events.length
  const odd = '\r\n\u001b[2J\u2028\u202e\u200f\u2066=cmd()'
  const token = await world.tokenOf({ sub: `alice${odd}`, name: odd, groups: ['ml-dev'] })
  const text = JSON.stringify({ model: `acme/chat${odd}`, user: 'canary-SECRET-4' })
  const body = Buffer.from(text).toString('latin1')
  const agent = `User-Agent: ${'u'.repeat(10_000)}`
  await world.send(chat(body, agent).replace('<alice>', token))
  await world.send(chat(asked.replace('"x"', '"canary-SECRET-5"'), agent).replace('<alice>', token))
  const events = world.fixture.events.slice(from)
  expect(events.length).toBeGreaterThanOrEqual(2)
  for (const { cut } of events) expect(cut).toEqual(['client.userAgent'])
  expect(JSON.stringify(events)).not.toMatch(
    /canary-SECRET|[\p{Cc}\u2028\u2029\p{Bidi_Control}]|\\u00|u{257}/u,
  )
})

test('B12 what is denied is denied in every case of its name, also to whoever may read the rest', async () => {
  const other = await startThreatWorld({
    policy: {
      roles: { reader: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] } },
      bindings: [{ roles: ['reader'], to: { issuer: 'staff', group: 'ml-dev' } }],
      deny: [{ actions: ['read'], on: ['model:acme/secret'] }],
    },
  })
  try {
    for (const name of ['acme/secret', 'Acme/Secret', 'ACME/SECRET', 'acme/sEcret']) {
      const target = `/${name}/resolve/main/config.json`
      expect(await other.send(get(target)), name).toMatchObject({
        statuses: [403, 200],
        reasons: ['explicit_deny'],
        lines: [],
      })
    }
    expect((await other.send(get(open))).lines).toEqual(passed)
  } finally {
    await other.close()
  }
})

test('F20 F21 a list of models has only those that she may use', async () => {
  world.answer = (_, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end('{"object":"list","data":[{"id":"acme/chat-small"},{"id":"acme/secret"},{"id":"deny/this"}]}')
  }
  const { text } = await world.send(lines('GET /v1/models HTTP/1.1', infer, alice, '', ''))
  expect(text).toContain('{"object":"list","data":[{"id":"acme/chat-small"}]}')
})

describe('F13 a provider’s own name for a model', () => {
  const pass = (model: string) =>
    lines(
      'POST /together/v1/chat/completions HTTP/1.1',
      infer,
      alice,
      json,
      'Content-Length: …',
      '',
      `{"model":"${model}"}`,
    )
  const lookedUp = 'GET /api/partners/together/models?status=live'

  test('is refused when it stands for a model that is denied, or for none that is known', async () => {
    world.answer = (_, res) =>
      void res.end('{"conversational":{"acme/secret":{"providerId":"secret-turbo","status":"live"}}}')
    expect(await world.send(pass('secret-turbo'))).toMatchObject({ statuses: [403, 200], lines: [lookedUp] })
    expect(await world.send(pass('acme/chat-small'))).toMatchObject({
      statuses: [403, 200],
      reasons: ['model_unmapped'],
      lines: [],
    })
    for (const { rawHeaders } of world.arrived) expect(rawHeaders.join()).not.toContain(hfToken)
  })
})

test('F14 numbers beyond a double reach the model as they were written', async () => {
  const body = '{"model":"acme/chat-small","seed":12345678901234567890,"temperature":1.0e-1}'
  await world.send(chat(body))
  expect(world.arrived[0]?.body.toString()).toBe(body)
})
