/**
 * People and jobs that act without a browser: the redirects, consents and signatures are real, only the
 * clicks are not.
 *
 * @module
 */
import type { CiTokenOptions } from '@hfauth/testkit'
import { oauthHandleRedirect, oauthLoginUrl } from '@huggingface/hub'
import type { HuggingFace } from './hugging-face.ts'

export interface Actor {
  readonly name: string
  /** The credential it shows; absent for nobody. */
  readonly token?: string
}

/** Signs a person in with Hugging Face's own OAuth helper and hands over what a client of theirs would use. */
export async function signIn(
  { local, issuer, clientId }: HuggingFace,
  username: string,
  scopes: readonly string[],
): Promise<Actor> {
  if (local === undefined) throw new Error('people can be played only on the local Hugging Face')
  const storage: { codeVerifier?: string; nonce?: string } = {}
  const authorizationUrl = await oauthLoginUrl({
    hubUrl: issuer,
    clientId,
    redirectUrl: 'http://localhost/callback',
    scopes: ['openid', 'profile', ...scopes].join(' '),
    localStorage: storage,
  })
  const redirectedUrl = await local.hub.signIn({ authorizationUrl, username })
  const { codeVerifier, nonce } = storage
  if (codeVerifier === undefined || nonce === undefined) throw new Error('the helper kept no verifier')
  const { accessToken } = await oauthHandleRedirect({ hubUrl: issuer, redirectedUrl, codeVerifier, nonce })
  return { name: username, token: accessToken }
}

/** A CI job with the ID token of its run, and nothing else. */
export async function startJob(
  { local, issuer }: HuggingFace,
  name: string,
  claims: Omit<CiTokenOptions, 'audience'>,
): Promise<Actor> {
  if (local === undefined) throw new Error('jobs can be played only on the local CI issuer')
  const idToken = await local.ci.token({ ...claims, audience: issuer } as CiTokenOptions)
  // Clients of the Hub take credentials that begin with `hf_`; the proxy knows this spelling of an ID token.
  return { name, token: `hf_oidc_${idToken}` }
}
