/**
 * Space options: what a static Space is told by the platform, as options for `createAuth`.
 *
 * **space options** → options. Reads `window.huggingface.variables`, which Hugging Face puts on the page of a static
 * Space with `hf_oauth: true`; Docker and Gradio Spaces have to tell their page themselves.
 *
 * @module
 */
import { type AuthOptions, invalid } from './options.ts'
import { parseUrl } from './secure-url.ts'

export interface SpaceOptions {
  /** Path of the redirect address on the Space's own host; it takes any. Default `/`. */
  readonly path?: string
  /** Replaces the global window. */
  readonly window?: SpaceWindow
}

/** What is needed of the window of a Space. */
export interface SpaceWindow {
  readonly location: { readonly origin: string; readonly host: string }
  readonly huggingface?: { readonly variables?: Readonly<Record<string, string | undefined>> }
}

/**
 * Client id, scopes, issuer and redirect address of the Space around this page.
 *
 * The redirect address is on the host that serves the page, be it framed on huggingface.co or opened directly: the
 * page of the Hub around it belongs to somebody else. A host that the platform does not name is refused.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` outside a static Space, or one without `hf_oauth: true`.
 */
export function spaceOptions(
  options: SpaceOptions = {},
): Pick<AuthOptions, 'clientId' | 'redirectUri' | 'scopes'> & { readonly issuer?: string } {
  const here = options.window ?? (globalThis as unknown as { window?: SpaceWindow }).window
  const variables = here?.huggingface?.variables
  const clientId = variables?.OAUTH_CLIENT_ID
  if (here === undefined || variables === undefined || !clientId) {
    throw invalid(
      'the page has no `OAUTH_CLIENT_ID`: only a static Space with `hf_oauth: true` in its README has; elsewhere the server has to tell the page',
    )
  }
  const { origin, host } = here.location
  // A list once a domain of one's own is attached.
  const hosts = variables.SPACE_HOST?.split(',').map((each) => each.trim())
  if (hosts && !hosts.includes(host)) {
    throw invalid(`this page is at \`${host}\`, which is no host of the Space: \`${hosts.join('`, `')}\``)
  }
  const redirectUri = parseUrl(options.path ?? '/', origin)
  if (redirectUri?.origin !== origin) throw invalid('`path` must be a path on the Space')
  // With a slash at the end in some places, which the issuer does not have.
  const issuer = variables.OPENID_PROVIDER_URL?.replace(/\/$/, '')
  return {
    clientId,
    redirectUri: redirectUri.href,
    scopes: variables.OAUTH_SCOPES?.split(/\s+/).filter((scope) => scope !== '') ?? [],
    ...(issuer && { issuer }),
  }
}
