/**
 * Every place at which this package may reach another machine is named here, and each is bounded.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import ts from 'typescript'
import { afterEach, describe, expect, test } from 'vitest'
import { sourceFiles } from '../../../test/source-files.ts'
import { requestBounded } from '../src/internal/request.ts'
import { forward } from '../src/proxy/upstream/forward.ts'
import { createResourceFacts } from '../src/proxy/upstream/resource-facts.ts'
import { sendByFetch } from '../src/proxy/upstream/send-by-fetch.ts'
import { createUpstreamClient } from '../src/proxy/upstream/upstream-client.ts'
import { Fields } from '../src/proxy/wire/fields.ts'
import { Stop } from '../src/proxy/wire/stop.ts'
import { refusalOf } from './loopback-issuer.ts'

/**
 * Who may do what. What asks an issuer goes through `requestBounded`, which has the limits and the typed error;
 * a new row needs both of its own, and a test below.
 */
const doors: Readonly<Record<string, readonly string[]>> = {
  'internal/request.ts': ['calls fetch'],
  'proxy/upstream/send-by-fetch.ts': ['calls fetch'],
  // Passes on what it is called with, limits included.
  'telemetry/fetch.ts': ['calls fetch'],
  // Answers the question for the address of keys that are known to be elsewhere; all others are passed on.
  'revoke/signed-notice.ts': ['calls fetch'],
  // Answers, and asks nobody.
  'proxy/listen.ts': [
    'node:http: STATUS_CODES, ServerResponse, createServer',
    'node:https: Server, createServer',
  ],
  // Bounded by whoever calls it: the proxy's limits, tested in proxy-upstream and below.
  'proxy/upstream/upstream-client.ts': ['undici: Agent, upgrade'],
  // Compares addresses, and opens nothing.
  'audit/minimise.ts': ['node:net: isIP'],
  'internal/trusted-proxies.ts': ['node:net: BlockList, isIP'],
  'limits/address-key.ts': ['node:net: isIP'],
}

const networkModules = /^(?:node:)?(?:https?|http2|net|tls|dgram|dns|dns\/promises|undici|ws|axios|got)$/
const networkClasses: ReadonlySet<string> = new Set(['WebSocket', 'EventSource', 'XMLHttpRequest'])

/** What a source file does with the network, as far as its text shows. */
function reachOf(text: string): string[] {
  const found = new Set<string>()
  const nameOf = (node: ts.Node): string | undefined => {
    if (ts.isIdentifier(node)) return node.text
    if (ts.isPropertyAccessExpression(node)) return node.name.text
    if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
      return node.argumentExpression.text
    }
    return ts.isParenthesizedExpression(node) ? nameOf(node.expression) : undefined
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const module = node.moduleSpecifier.text
      const values = valuesOf(node.importClause)
      if (networkModules.test(module) && values.length > 0)
        found.add(`${module}: ${values.sort().join(', ')}`)
    }
    if (ts.isCallExpression(node)) {
      const called = nameOf(node.expression)
      if (called === 'fetch') found.add('calls fetch')
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword || called === 'require') {
        const [module] = node.arguments
        if (module && ts.isStringLiteral(module) && networkModules.test(module.text))
          found.add(`loads ${module.text}`)
      }
      // Under another name nobody would find the call. That one only looks which it is.
      if (called !== 'assertTlsChecked' && node.arguments.some((argument) => nameOf(argument) === 'fetch'))
        found.add('hands fetch over')
    }
    if (ts.isNewExpression(node) && networkClasses.has(nameOf(node.expression) ?? '')) {
      found.add(`opens ${nameOf(node.expression)}`)
    }
    if (ts.isBindingElement(node) && node.propertyName && nameOf(node.propertyName) === 'fetch') {
      found.add('renames fetch')
    }
    if (ts.isVariableDeclaration(node) && node.initializer && nameOf(node.initializer) === 'fetch') {
      if (nameOf(node.name) !== 'fetch') found.add('renames fetch')
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('source.ts', text, ts.ScriptTarget.ES2023, true))
  return [...found].sort()
}

function valuesOf(clause: ts.ImportClause | undefined): string[] {
  if (clause === undefined || clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return []
  const { name, namedBindings } = clause
  if (namedBindings !== undefined && ts.isNamespaceImport(namedBindings)) return ['*']
  const named = namedBindings?.elements.filter(({ isTypeOnly }) => !isTypeOnly) ?? []
  return [
    ...(name === undefined ? [] : ['default']),
    ...named.map((element) => (element.propertyName ?? element.name).text),
  ]
}

describe('the network', () => {
  test('is reached through the doors that are named, and no others', () => {
    const reached = sourceFiles('packages/node/src').flatMap(({ path, text }) => {
      const reach = reachOf(text)
      return reach.length === 0 ? [] : [[path.slice('packages/node/src/'.length), reach]]
    })
    expect(Object.fromEntries(reached)).toEqual(doors)
  })

  test.each([
    ['await fetch(url)', 'calls fetch'],
    ['globalThis.fetch(url)', 'calls fetch'],
    ["(options['fetch'])(url)", 'calls fetch'],
    ['const { fetch: ask } = options', 'renames fetch'],
    ['const ask = globalThis.fetch', 'renames fetch'],
    ['run(globalThis.fetch)', 'hands fetch over'],
    ["import { request } from 'node:https'", 'node:https: request'],
    ["import * as http from 'http'", 'http: *'],
    ["import undici from 'undici'", 'undici: default'],
    ["const http = await import('node:http')", 'loads node:http'],
    ["const net = require('net')", 'loads net'],
    ['new WebSocket(url)', 'opens WebSocket'],
  ])('would not be reached unseen by `%s`', (text, reach) => {
    expect(reachOf(text)).toEqual([reach])
  })

  test.each([
    "import type { Server } from 'node:http'",
    "import { type Socket } from 'node:net'",
    'const { fetch = globalThis.fetch } = options',
    'createClient({ fetch, timeoutMs })',
  ])('is not reached by `%s`', (text) => {
    expect(reachOf(text)).toEqual([])
  })
})

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener)
  server = started
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`
}

const silent: RequestListener = () => {}
const dripping: RequestListener = (_, res) => {
  res.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => res.write(' '), 10)
  res.on('close', () => clearInterval(timer))
}
const endless: RequestListener = (_, res) => {
  const more = () => {
    while (!res.destroyed && res.write(Buffer.alloc(65_536, 32))) {}
  }
  res.on('drain', more)
  more()
}

describe('a request to an issuer', () => {
  const ask = (url: string, timeoutMs: number) =>
    refusalOf(
      requestBounded(url, {
        subject: 'the key set',
        fetch: globalThis.fetch,
        timeoutMs,
        maxBytes: 100_000,
        headers: { authorization: 'Bearer secret-credential' },
      }),
      'secret-credential',
    )

  test.each([
    ['that is not answered', silent, 'no answer within 200 ms'],
    ['that is answered drop by drop', dripping, 'no answer within 200 ms'],
    ['that is answered without end', endless, 'longer than 100000 bytes'],
    [
      'that is sent elsewhere',
      ((_, res) => res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()) satisfies RequestListener,
      'unavailable',
    ],
    [
      'whose answer breaks off',
      ((_, res) => res.destroy()) satisfies RequestListener,
      'the connection failed',
    ],
    [
      'whose answer is no text',
      ((_, res) => res.end(Buffer.from([0xff]))) satisfies RequestListener,
      'not UTF-8',
    ],
  ])('%s ends in an error that says trying again can help', async (_, listener, why) => {
    const { code, retryable, message } = await ask(
      await serve(listener),
      why.startsWith('no answer') ? 200 : 20_000,
    )
    expect({ code, retryable }).toEqual({ code: 'HFAUTH_ISSUER_UNAVAILABLE', retryable: true })
    expect(message).toContain(why)
  })
})

describe.each([
  ['the proxy’s own client', createUpstreamClient({ idleTimeoutMs: 60_000 }).send],
  ['a `fetch` that was given', sendByFetch({ fetch: globalThis.fetch })],
])('a request to the Hub by %s', (_, send) => {
  test('that is not answered in time is given up', async () => {
    const origin = await serve(silent)
    const outbound = {
      method: 'GET',
      origin,
      path: '/x',
      search: '',
      headers: new Fields(),
      body: undefined,
      credential: undefined,
      stop: new Stop(),
    }
    await expect(forward(outbound, { send, timeoutMs: 100 })).rejects.toMatchObject({
      reason: 'upstream_timeout',
    })
  })

  test.each([
    ['is not answered', silent],
    ['is answered drop by drop', dripping],
    ['is answered without end', endless],
  ])('for what it says of a repository that %s leaves it unknown', async (_, listener) => {
    const hub = await serve(listener)
    const facts = createResourceFacts({ hub, send, now: Date.now, timeoutMs: 200 })
    expect(await facts({ type: 'model', id: 'acme/x' }, undefined)).toEqual({})
  })
})
