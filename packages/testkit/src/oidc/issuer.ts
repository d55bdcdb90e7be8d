/**
 * Issuer: the OAuth and OpenID Connect endpoints as a set of routes.
 *
 * routes → **issuer** → provider, interactions, exchanges, userinfo. Everything Hugging Face
 * does at the edge of the protocol that the provider does not is translated here: JSON bodies,
 * a code sent without its client id, the shorter device answer, and no `iss` on the redirect.
 *
 * @module
 */

import type Provider from 'oidc-provider'
import { allowAnyOrigin, type Exchange, HttpRefusal, sendJson } from '../http/exchange.ts'
import { applyFault, type Fault } from '../http/faults.ts'
import { replayRequest } from '../http/replay.ts'
import type { Routes } from '../http/routes.ts'
import { findPersonById } from '../world/find.ts'
import type { World } from '../world/world.ts'
import type { Consents } from './consents.ts'
import type { Credentials } from './credentials.ts'
import { showInteraction, submitInteraction } from './interactions.ts'
import { registerMemberExchange } from './member-exchange.ts'
import { buildMetadata, tokenExchangeGrant } from './metadata.ts'
import { buildHomePage } from './pages.ts'
import { cookieNames, deviceVerificationPath } from './provider.ts'
import { exchangePublisherToken, idTokenType } from './publisher-exchange.ts'
import { registerApp } from './register.ts'
import { buildUserinfo } from './userinfo.ts'

export interface IssuerOptions {
  readonly url: string
  readonly provider: Provider
  readonly world: World
  readonly consents: Consents
  readonly credentials: Credentials
  readonly now: () => number
  readonly faults: { tokenEndpoint?: Fault; userinfo?: Fault; jwks?: Fault }
  readonly onSecret: (value: string) => void
}

export function addIssuerRoutes(routes: Routes, options: IssuerOptions): void {
  const { url, provider, world, credentials, faults } = options
  registerMemberExchange(provider, world, credentials)
  adaptAnswers(provider, url)
  const callback = provider.callback()
  const forward = async (exchange: Exchange, replay?: Parameters<typeof replayRequest>[1]) => {
    await callback(replayRequest(exchange, replay), exchange.res)
  }

  for (const name of ['openid-configuration', 'oauth-authorization-server']) {
    routes.on('GET,HEAD,OPTIONS', `/.well-known/${name}`, (exchange) => {
      if (!allowAnyOrigin(exchange)) sendJson(exchange, 200, buildMetadata(url))
    })
  }
  routes.on('GET,OPTIONS', '/oauth/jwks', async (exchange) => {
    if (allowAnyOrigin(exchange) || (await applyFault(exchange, faults.jwks))) return
    await forward(exchange)
  })
  routes.on('GET,POST,OPTIONS', '/oauth/userinfo', async (exchange) => {
    if (allowAnyOrigin(exchange) || (await applyFault(exchange, faults.userinfo))) return
    await answerUserinfo(exchange, options)
  })
  routes.on('POST,OPTIONS', '/oauth/token', async (exchange) => {
    if (allowAnyOrigin(exchange) || (await applyFault(exchange, faults.tokenEndpoint))) return
    const form = readForm(exchange)
    if (isPublisherExchange(form)) {
      return sendJson(exchange, 200, await exchangePublisherToken(form, options), {
        'cache-control': 'no-store',
      })
    }
    await addClientOfCode(exchange, form, provider)
    await forward(exchange, { form })
  })
  routes.on('POST', '/oauth/register', (exchange) => registerApp(exchange, options))
  routes.on('POST', '/oauth/device', (exchange) => forward(exchange, { form: readForm(exchange) }))
  routes.on('GET', '/oauth/device', (exchange) => forward(exchange, { url: deviceVerificationPath }))
  routes.on('GET,POST', `${deviceVerificationPath}/*rest`, (exchange) => forward(exchange))
  routes.on('POST', deviceVerificationPath, (exchange) => forward(exchange))
  routes.on('GET', '/oauth/authorize', (exchange) => forward(exchange))
  routes.on('GET', '/oauth/authorize/:uid', (exchange) => forward(exchange))
  routes.on('GET', '/oauth/interaction/:uid', (exchange) => showInteraction(exchange, options))
  routes.on('POST', '/oauth/interaction/:uid', (exchange) => submitInteraction(exchange, options))
  routes.on('GET', '/', async (exchange) => {
    const session = await provider.Session.get(provider.createContext(exchange.req, exchange.res))
    const page = buildHomePage(session.accountId ? findPersonById(world, session.accountId) : undefined)
    exchange.res.writeHead(200, page.headers).end(page.html)
  })
  routes.on('POST', '/logout', (exchange) => {
    const names = [cookieNames.session, `${cookieNames.session}.sig`]
    const cookies = names.map((name) => `${name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`)
    exchange.res.writeHead(303, { location: '/', 'set-cookie': cookies }).end()
  })
}

async function answerUserinfo(exchange: Exchange, { url, world, credentials }: IssuerOptions): Promise<void> {
  const credential = await credentials.identify(exchange.req.headers.authorization)
  if (credential.kind !== 'oauth') {
    const error = credential.kind === 'none' ? '' : ', error="invalid_token"'
    throw new HttpRefusal(
      401,
      { error: 'invalid_token', error_description: 'an OAuth access token is required' },
      { 'www-authenticate': `Bearer realm="${url}"${error}` },
    )
  }
  const claims = buildUserinfo(credential.person, { ...credential, url, world })
  sendJson(exchange, 200, claims, { 'cache-control': 'no-store' })
}

/** Reads the parameters of a token or device request from a form or a JSON body. */
function readForm({ req, body }: Exchange): URLSearchParams {
  const text = body.toString('utf8')
  if (!(req.headers['content-type'] ?? '').includes('application/json')) return new URLSearchParams(text)
  try {
    const value: unknown = JSON.parse(text)
    const entries = Object.entries(value as Record<string, unknown>).filter(
      ([, item]) => typeof item === 'string',
    )
    return new URLSearchParams(entries as [string, string][])
  } catch {
    throw new HttpRefusal(400, { error: 'invalid_request', error_description: 'the body is not valid JSON' })
  }
}

function isPublisherExchange(form: URLSearchParams): boolean {
  return form.get('grant_type') === tokenExchangeGrant && form.get('subject_token_type') === idTokenType
}

/** Hugging Face's own browser client sends a code and its verifier, and no client id. */
async function addClientOfCode({ req }: Exchange, form: URLSearchParams, provider: Provider): Promise<void> {
  const code = form.get('code')
  if (req.headers.authorization !== undefined || form.has('client_id') || code === null) return
  const found = await provider.AuthorizationCode.find(code)
  if (found?.clientId !== undefined) form.set('client_id', found.clientId)
}

function adaptAnswers(provider: Provider, url: string): void {
  provider.use(async (ctx, next) => {
    await next()
    const { location } = ctx.response.headers
    if (typeof location === 'string' && location.includes('iss='))
      ctx.set('location', withoutIssuer(location, url))
    if (ctx.method !== 'POST' || ctx.status !== 200 || typeof ctx.body !== 'object' || ctx.body === null)
      return
    const body = ctx.body as Record<string, unknown>
    if (ctx.path === '/oauth/token') ctx.body = { ...body, token_type: 'bearer' }
    if (ctx.path === '/oauth/device') {
      const { device_code, user_code, expires_in } = body
      ctx.body = { device_code, user_code, verification_uri: `${url}/oauth/device`, expires_in }
    }
  })
}

function withoutIssuer(location: string, url: string): string {
  const parsed = URL.parse(location)
  if (parsed?.searchParams.get('iss') !== url) return location
  parsed.searchParams.delete('iss')
  return parsed.href
}
