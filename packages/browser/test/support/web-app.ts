/**
 * Web app: a site with the page under test, and two APIs of which one may receive the token.
 *
 * The site sends the strictest headers a page can live under, and collects the reports.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bundle } from './bundle.ts'
import { accessOf, policyAllowing } from './rules.ts'

export interface Arrival {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
  readonly referer: string | undefined
}

export interface Site {
  readonly url: string
  readonly arrivals: Arrival[]
  close(): Promise<void>
}

export interface WebApp extends Site {
  /** On the list of the page. */
  readonly api: Site
  /** Not on it; open to everyone, so that only the package stands between it and the token. */
  readonly stranger: Site
  /** Reports of the content security policy. */
  readonly violations: string[]
}

export interface WebAppOptions {
  readonly issuer: string
  readonly clientId: string
  /** `sub` of the person whose permissions `/api/access` gives. */
  readonly sub: string
  /** Whether pages of the site may frame each other, as renewal by frame needs. Default false. */
  readonly framed?: boolean
  /** Answer of `POST /session`, where the site's own server keeps a session. */
  readonly backend?: () => { readonly status: number; readonly body: unknown }
  /** Name of the Trusted Types policy that the page may make for its worker. Default none. */
  readonly trustedTypes?: string
  /** Whether the policy lets the browser look for an icon, as Firefox does under it. Default false. */
  readonly icon?: boolean
}

export const model = 'model:acme/vision-large'

/** What the person may do. */
const infer = { actions: ['infer'], on: ['model:acme/*'] }

const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>App</title><script type="module" src="/app.js"></script></head>
<body>
<p id="status">loading</p><p id="who"></p><p id="may"></p><p id="outcome"></p><pre id="violations"></pre>
<button id="sign-in">Sign in</button><button id="sign-out">Sign out</button><button id="load">Load</button>
<input id="address" aria-label="Address"><button id="call">Call</button>
</body>
</html>`

export async function startWebApp(options: WebAppOptions): Promise<WebApp> {
  const { issuer, clientId, sub, trustedTypes = "'none'", framed = false, backend, icon = false } = options
  const violations: string[] = []
  const stranger = await startSite((_, res) => answer(res, 200, 'stranger'))
  let goOn: (() => void) | undefined
  const api = await startSite((req, res) => {
    // Never answers: for callers who give up.
    if (req.url === '/slow') return
    if (req.url === '/stream') {
      res.writeHead(200, { 'content-type': 'text/plain' }).write('first')
      goOn = () => void res.end('second')
      return
    }
    if (req.url === '/go-on') goOn?.()
    if (req.url !== '/away') return answer(res, 200, 'api')
    res.setHeader('location', `${stranger.url}/landed`)
    answer(res, 302, '')
  })

  const access = accessOf(policyAllowing(infer), sub)
  let script = ''
  let workerScript = ''
  const site = await startSite((req, res) => {
    const { pathname } = new URL(req.url ?? '', 'http://site')
    // No policy of its own for the icon that browsers ask for.
    if (pathname === '/favicon.ico') return answer(res, 204, '')
    if (pathname === '/violations') return collect(req, res)
    if (pathname === '/app.js') return answer(res, 200, script, 'text/javascript')
    if (pathname === '/session' && req.method === 'POST' && req.headers['x-hfauth'] === 'renew') {
      const { status, body } = backend?.() ?? { status: 401, body: {} }
      return answer(res, status, JSON.stringify(body), 'application/json')
    }
    if (pathname === '/worker.js') return answer(res, 200, workerScript, 'text/javascript')
    if (pathname === '/api/access')
      return answer(res, 200, JSON.stringify(access.snapshot()), 'application/json')
    // What the page says it may do is nothing to the server.
    if (pathname.startsWith('/api/model/')) {
      const may = access.can(pathname.slice('/api/model/'.length), model)
      return answer(res, may ? 200 : 403, may ? 'done' : 'refused')
    }
    res.setHeader('content-security-policy', policy)
    res.setHeader('referrer-policy', 'no-referrer')
    // With `no-store` the browser would not put the page aside for the way back.
    answer(res, 200, html, 'text/html', 'no-cache')
  })
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    // Both APIs: what keeps the token from the stranger must not be this header.
    `connect-src 'self' ${issuer} ${api.url} ${stranger.url}`,
    `frame-src ${issuer}${framed ? " 'self'" : ''}`,
    "worker-src 'self'",
    // Firefox would otherwise report the address that holds the code, as the one that asks for an icon.
    ...(icon ? ["img-src 'self'"] : []),
    "base-uri 'none'",
    `frame-ancestors ${framed ? "'self'" : "'none'"}`,
    "require-trusted-types-for 'script'",
    `trusted-types ${trustedTypes}`,
    'report-uri /violations',
  ].join('; ')
  workerScript = await bundle({ file: 'src/worker.ts' })
  const config = { issuer, clientId, redirectUri: `${site.url}/callback`, apiOrigins: [site.url, api.url] }
  script = await bundle({ file: 'test/page/app.ts' }, { define: { CONFIG: JSON.stringify(config) } })

  function collect(req: IncomingMessage, res: ServerResponse): void {
    let text = ''
    req.on('data', (chunk) => {
      text += chunk
    })
    req.on('end', () => {
      violations.push(text)
      answer(res, 204, '')
    })
  }

  return {
    ...site,
    api,
    stranger,
    violations,
    close: async () => void (await Promise.all([site.close(), api.close(), stranger.close()])),
  }
}

/** Answers everyone, whatever their origin, as an open API would. */
async function startSite(handle: (req: IncomingMessage, res: ServerResponse) => void): Promise<Site> {
  const arrivals: Arrival[] = []
  const server = createServer((req, res) => {
    const { authorization, referer } = req.headers
    arrivals.push({ method: req.method ?? '', url: req.url ?? '', authorization, referer })
    res.setHeader('access-control-allow-origin', '*')
    res.setHeader('access-control-allow-headers', 'authorization')
    if (req.method === 'OPTIONS') answer(res, 204, '')
    else handle(req, res)
  })
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function answer(
  res: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain',
  cache = 'no-store',
): void {
  res.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': cache }).end(body)
}
