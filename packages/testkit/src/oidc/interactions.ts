/**
 * Interactions: what a person decides on the login and consent pages.
 *
 * provider → **interactions** → pages, consents. The cookie of the running interaction is
 * same-site and its id cannot be guessed, which is what keeps a forged form out.
 *
 * @module
 */

import type Provider from 'oidc-provider'
import { type Exchange, HttpRefusal } from '../http/exchange.ts'
import { findApp, findPerson, findPersonById, membershipsOf } from '../world/find.ts'
import type { World } from '../world/world.ts'
import type { Consents } from './consents.ts'
import { buildConsentPage, buildLoginPage, type Page } from './pages.ts'

export interface InteractionOptions {
  readonly provider: Provider
  readonly world: World
  readonly consents: Consents
}

type Details = Awaited<ReturnType<Provider['interactionDetails']>>

/** Shows the page the running interaction waits for. */
export async function showInteraction(exchange: Exchange, options: InteractionOptions): Promise<void> {
  const details = await readDetails(exchange, options.provider)
  const page = details.prompt.name === 'login' ? loginPage(details, options) : consentPage(details, options)
  exchange.res.writeHead(200, page.headers).end(page.html)
}

/** Takes the submitted form and sends the browser back into the flow. */
export async function submitInteraction(exchange: Exchange, options: InteractionOptions): Promise<void> {
  const { provider, world } = options
  const details = await readDetails(exchange, provider)
  const form = new URLSearchParams(exchange.body.toString('utf8'))
  if (details.prompt.name === 'login') {
    const person = findPerson(world, form.get('username') ?? '')
    if (!person) throw new HttpRefusal(400, { error: 'unknown person' })
    return provider.interactionFinished(exchange.req, exchange.res, { login: { accountId: person.id } })
  }
  if (form.get('decision') !== 'allow') {
    return provider.interactionFinished(
      exchange.req,
      exchange.res,
      { error: 'access_denied', error_description: 'The user denied the request' },
      { mergeWithLastSubmission: false },
    )
  }
  const grantId = await saveConsent(details, form.getAll('orgIds'), options)
  return provider.interactionFinished(exchange.req, exchange.res, { consent: { grantId } })
}

async function saveConsent(
  details: Details,
  ticked: readonly string[],
  { provider, world, consents }: InteractionOptions,
): Promise<string> {
  const person = findPersonById(world, details.session?.accountId ?? '')
  const clientId = String(details.params.client_id)
  if (!person) throw new HttpRefusal(400, { error: 'nobody is logged in' })
  const own = new Set(membershipsOf(world, person).map(({ organization }) => organization.id))
  const orgIds = new Set(ticked.filter((id) => own.has(id)))
  const scopes = scopesOf(details)
  const grant = new provider.Grant({ accountId: person.id, clientId })
  grant.addOIDCScope(scopes)
  const grantId = await grant.save()
  consents.attach(grantId, { orgIds })
  consents.remember(person.id, clientId, { scopes: new Set(scopes), orgIds })
  return grantId
}

function loginPage(details: Details, { world }: InteractionOptions): Page {
  return buildLoginPage({
    action: `/oauth/interaction/${details.uid}`,
    appName: appNameOf(details, world),
    people: world.people,
    redirectUri: redirectUriOf(details),
  })
}

function consentPage(details: Details, { world }: InteractionOptions): Page {
  const person = findPersonById(world, details.session?.accountId ?? '')
  if (!person) throw new HttpRefusal(400, { error: 'nobody is logged in' })
  const organizations = membershipsOf(world, person).map(({ organization }) => organization)
  const asked = details.params.orgIds
  return buildConsentPage({
    action: `/oauth/interaction/${details.uid}`,
    appName: appNameOf(details, world),
    person,
    scopes: scopesOf(details),
    organizations,
    // How several ids are written is not documented, so spaces and commas both separate them.
    ticked: new Set(typeof asked === 'string' ? asked.split(/[\s,]+/) : organizations.map(({ id }) => id)),
    redirectUri: redirectUriOf(details),
  })
}

async function readDetails(exchange: Exchange, provider: Provider): Promise<Details> {
  try {
    return await provider.interactionDetails(exchange.req, exchange.res)
  } catch {
    throw new HttpRefusal(400, { error: 'this sign-in is over or belongs to another browser' })
  }
}

function appNameOf(details: Details, world: World): string {
  return findApp(world, String(details.params.client_id))?.name ?? 'an app'
}

function scopesOf(details: Details): string[] {
  const { scope } = details.params
  return typeof scope === 'string' ? scope.split(' ').filter(Boolean) : []
}

function redirectUriOf(details: Details): string | undefined {
  const { redirect_uri: uri } = details.params
  return typeof uri === 'string' ? uri : undefined
}
