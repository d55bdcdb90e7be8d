/**
 * Pop-up site: a page that signs in through another window, the page that window comes back to, and a page of another
 * site that frames the first. All under the headers that the guide names.
 *
 * @module
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bundle } from './bundle.ts'
import { guideHeaders, guidePolicy } from './guide-headers.ts'
import { plainClientId } from './plain-provider.ts'

export interface PopupSite {
  /** The application's own origin. */
  readonly url: string
  /** The same server under a name that is another site. */
  readonly otherSite: string
  /** What may be sent to a provider as redirect address. */
  redirectUris(issuer: string): string[]
  /** Reports of the content security policies. */
  readonly violations: string[]
  /** Origins of providers that the pages may speak to. */
  readonly issuers: string[]
  /** Tokens that came to `/api/strong`, which wants a stronger sign-in than that of the first. */
  readonly calls: string[]
  /** While true, answers at `/callback` reach an empty page instead of the application. */
  catching: boolean
  close(): Promise<void>
}

const appHtml = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>App</title>
<script type="module" src="/app.js"></script></head><body>
<p id="status">loading</p><p id="ways"></p><p id="closed"></p><p id="outcome-1"></p><p id="outcome-2"></p>
<p id="violations"></p><button id="popup">Pop-up</button><button id="redirect">Redirect</button>
<button id="call">Call</button><a id="link" target="_blank"></a>
<a id="direct" target="_blank" rel="noopener">Direct</a><a id="full" target="_top">Full page</a></body></html>`

const callbackHtml = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Signing in</title>
<script type="module" src="/popup-callback.js"></script></head><body><p data-hfauth-text></p></body></html>`

export async function startPopupSite(): Promise<PopupSite> {
  const violations: string[] = []
  const issuers: string[] = []
  const calls: string[] = []
  const [app, callback] = await Promise.all([
    bundle(
      { file: 'test/page/popup-app.ts' },
      { define: { CONFIG: JSON.stringify({ clientId: plainClientId }) } },
    ),
    bundle({ file: 'src/popup-callback.ts' }),
  ])
  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://site')
    const answer = (body: string, type: string) =>
      res.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(body)
    if (pathname === '/favicon.ico') return void res.writeHead(204).end()
    if (pathname === '/app.js') return void answer(app, 'text/javascript')
    if (pathname === '/popup-callback.js') return void answer(callback, 'text/javascript')
    if (pathname === '/violations') {
      req.on('data', (chunk) => violations.push(String(chunk)))
      return void req.on('end', () => res.writeHead(204).end())
    }
    if (pathname === '/api/strong') {
      calls.push(req.headers.authorization ?? '')
      if (calls.at(-1) !== calls[0]) return void answer('strong enough', 'text/plain')
      const challenge = 'Bearer error="insufficient_user_authentication", max_age="0"'
      return void res.writeHead(401, { 'www-authenticate': challenge }).end()
    }
    if (pathname === '/frame') {
      const framed = `${url}/?${searchParams}`
      return void answer(
        `<!doctype html><title>Frame</title><iframe src="${framed.replaceAll('&', '&amp;')}"></iframe>`,
        'text/html',
      )
    }
    if (pathname === '/callback' && site.catching) {
      return void answer('<!doctype html><title>Caught</title>', 'text/html')
    }
    const { 'cross-origin-opener-policy': openerPolicy = '', ...headers } = guideHeaders
    res.setHeaders(new Headers(headers))
    if (pathname === '/popup') {
      res.setHeader('content-security-policy', guidePolicy("'none'", "'none'"))
      return void answer(callbackHtml, 'text/html')
    }
    res.setHeader('cross-origin-opener-policy', openerPolicy)
    res.setHeader('content-security-policy', guidePolicy(`'self' ${issuers.join(' ')}`, otherSite))
    answer(appHtml, 'text/html')
  })
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const otherSite = `http://localhost:${port}`

  const site: PopupSite = {
    url,
    otherSite,
    redirectUris: (issuer) => [`${url}/popup`, `${url}/callback?issuer=${encodeURIComponent(issuer)}`],
    violations,
    issuers,
    calls,
    catching: false,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
  return site
}
