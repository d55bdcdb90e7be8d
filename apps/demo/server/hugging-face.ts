/**
 * Which Hugging Face the demo speaks with: one on this machine, or the real one.
 *
 * With `HF_CLIENT_ID` (a public app whose redirect address is the page's `/callback`) people sign in at
 * huggingface.co. Without it everything runs on loopback, CI included.
 *
 * @module
 */
import { type CiIssuer, type Hub, publicAppId, startCiIssuer, startHub } from '@hfauth/testkit'

export interface HuggingFace {
  readonly issuer: string
  readonly router: string
  readonly clientId: string
  /** The stand-ins, when they are. */
  readonly local?: { readonly hub: Hub; readonly ci: CiIssuer }
  /** What the policy's `${env.…}` stand for. */
  readonly variables: Readonly<Record<string, string>>
  close(): Promise<void>
}

export async function startHuggingFace(
  env: Readonly<Record<string, string | undefined>>,
): Promise<HuggingFace> {
  const clientId = env.HF_CLIENT_ID
  if (clientId !== undefined && clientId !== '') {
    const issuer = 'https://huggingface.co'
    return {
      issuer,
      router: 'https://router.huggingface.co',
      clientId,
      variables: {
        HF_ISSUER: issuer,
        HF_CLIENT_ID: clientId,
        CI_ISSUER: 'https://token.actions.githubusercontent.com',
      },
      close: async () => undefined,
    }
  }
  const ci = await startCiIssuer()
  const hub = await startHub()
  // The repository `acme/vision` may push to two models, without a secret on either side.
  for (const resource of ['acme/vision-large', 'acme/vision-small']) {
    hub.world.trustedPublishers.push({
      resource,
      issuer: ci.url,
      claims: { repository: 'acme/vision', ref: 'refs/heads/main' },
    })
  }
  return {
    issuer: hub.url,
    router: hub.url,
    clientId: publicAppId,
    local: { hub, ci },
    variables: { HF_ISSUER: hub.url, HF_CLIENT_ID: publicAppId, CI_ISSUER: ci.url },
    async close() {
      await Promise.all([hub.close(), ci.close()])
    },
  }
}
