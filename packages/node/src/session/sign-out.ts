/**
 * Sign-out: here at once, everywhere if asked, and at the provider where it has a way.
 *
 * @see OpenID Connect RP-Initiated Logout 1.0 §2; RFC 7009
 * @module
 */
import type { IdentityReader } from './identity.ts'
import type { Kept, SessionKeeper } from './keeper.ts'
import type { Settings } from './options.ts'

export interface SignOutParts {
  readonly settings: Settings
  readonly keeper: SessionKeeper
  readonly readers: ReadonlyMap<string, IdentityReader>
}

/**
 * Ends a session, and gives the address where the browser ends the one at the provider, if there is any.
 *
 * @param everywhere - Ends all sessions of the person; those without a store through `revoke`.
 */
export async function signOut(
  kept: Kept,
  everywhere: boolean,
  { settings, keeper, readers }: SignOutParts,
): Promise<string | undefined> {
  const { record } = kept
  await keeper.end(kept)
  if (everywhere) await endEverywhere(record, settings, keeper)
  const reader = readers.get(record.alias)
  if (reader === undefined) return undefined
  const { oauth, provider } = reader
  const token = record.tokens?.refresh ?? record.tokens?.access
  const [end] = await Promise.all([
    // A provider that is down keeps nobody signed in here.
    oauth.metadata().then(
      ({ endSessionEndpoint }) => endSessionEndpoint,
      () => undefined,
    ),
    token === undefined ? undefined : oauth.revoke(token),
  ])
  if (end === undefined) return undefined
  const url = new URL(end)
  url.searchParams.set('client_id', provider.clientId)
  url.searchParams.set('post_logout_redirect_uri', settings.origin + settings.afterSignOut)
  if (record.tokens?.id !== undefined) url.searchParams.set('id_token_hint', record.tokens.id)
  return url.href
}

async function endEverywhere(
  { issuer, claims }: Kept['record'],
  { store, revoke, now, absoluteMs }: Settings,
  keeper: SessionKeeper,
): Promise<void> {
  const all = { issuer, subject: String(claims.sub) }
  if (store !== undefined) await keeper.endAll(all)
  else await revoke?.({ ...all, issuedAt: Math.floor(now() / 1000) }, now() + absoluteMs)
}

export interface SignOutForm {
  readonly token: string | null
  readonly everywhere: boolean
}

const maxFormBytes = 4096

/** What a sign-out form or a page's request says. A body that is no such form says nothing. */
export async function readSignOutForm(request: Request): Promise<SignOutForm> {
  const type = request.headers.get('content-type') ?? ''
  const text = /^application\/x-www-form-urlencoded\b/i.test(type) ? await readText(request) : ''
  const form = new URLSearchParams(text)
  const token = request.headers.get('x-csrf-token') ?? form.get('csrf_token')
  return { token, everywhere: form.get('everywhere') === 'true' }
}

async function readText(request: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength
    if (length > maxFormBytes) return ''
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
