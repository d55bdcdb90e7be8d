/**
 * Client document: an app whose id is the address of a document that describes it.
 *
 * **client document** → world → storage. As Hugging Face takes them, but from this machine only: a test must not
 * depend on the web.
 *
 * @module
 * @see draft-ietf-oauth-client-id-metadata-document
 */
import { knownScopes } from '../world/scopes.ts'
import type { App, World } from '../world/world.ts'

const timeoutMs = 5000
const maximumBytes = 64 * 1024
const loopback = ['localhost', '127.0.0.1', '[::1]']

/**
 * Fetches the document once and adds its app to the world.
 *
 * @returns `undefined` when `clientId` is no address on this machine, or the document there does not describe a public app of that id.
 */
export async function findDocumentedApp(world: World, clientId: string): Promise<App | undefined> {
  const url = URL.parse(clientId)
  if (url === null || !/^https?:$/.test(url.protocol) || !loopback.includes(url.hostname)) return undefined
  const document = await fetchDocument(url)
  const {
    client_name: name,
    redirect_uris: redirectUris,
    token_endpoint_auth_method: method,
  } = document ?? {}
  const isWhole =
    document?.client_id === clientId &&
    method === 'none' &&
    Array.isArray(redirectUris) &&
    redirectUris.length > 0 &&
    redirectUris.every((uri) => typeof uri === 'string' && URL.canParse(uri))
  if (!isWhole) return undefined
  const app: App = {
    clientId,
    name: typeof name === 'string' ? name : clientId,
    kind: 'public',
    redirectUris,
    scopes: [...knownScopes],
  }
  world.apps.push(app)
  return app
}

async function fetchDocument(url: URL): Promise<Partial<Record<string, unknown>> | undefined> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const length = Number(response.headers.get('content-length') ?? 0)
    if (!response.ok || length > maximumBytes) return undefined
    const text = await response.text()
    const value: unknown = text.length > maximumBytes ? undefined : JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
