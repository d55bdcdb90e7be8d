/**
 * Sign-out: here at once, everywhere if asked, and at the provider where it has a way.
 *
 * @see OpenID Connect RP-Initiated Logout 1.0 §2; RFC 7009; docs.slack.dev: auth.revoke
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

export interface SignedOut {
  /** Where the browser ends the session at the provider, if it has such an address. */
  readonly location?: string
  /** Why the provider did not take its tokens back: they may be good until they end. */
  readonly failure?: unknown
}

/**
 * Ends a session, and gives its tokens back to the provider, which keeps nobody signed in here by being down.
 *
 * @param everywhere - Ends all sessions of the person; those without a store through `revoke`.
 */
export async function signOut(
  kept: Kept,
  everywhere: boolean,
  { settings, keeper, readers }: SignOutParts,
): Promise<SignedOut> {
  const { record } = kept
  await keeper.end(kept)
  if (everywhere) await endEverywhere(record, settings, keeper)
  const reader = readers.get(record.alias)
  if (reader === undefined) return {}
  const { oauth, provider } = reader
  const [end, failure] = await Promise.all([
    oauth.metadata().then(
      ({ endSessionEndpoint }) => endSessionEndpoint,
      () => undefined,
    ),
    record.tokens === undefined
      ? undefined
      : oauth.revoke(record.tokens).then(
          () => undefined,
          (error: unknown) => error,
        ),
  ])
  const failed = failure === undefined ? {} : { failure }
  if (end === undefined) return failed
  const url = new URL(end)
  url.searchParams.set('client_id', provider.clientId)
  url.searchParams.set('post_logout_redirect_uri', settings.origin + settings.afterSignOut)
  if (record.tokens?.id !== undefined) url.searchParams.set('id_token_hint', record.tokens.id)
  return { location: url.href, ...failed }
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
