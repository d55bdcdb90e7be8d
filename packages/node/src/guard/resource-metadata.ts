/**
 * Resource metadata: tells a client that was refused whose token would be taken here.
 *
 * policy → **resource metadata** → client. What stands in it is public: issuers where people sign in, and
 * scopes; no role, no binding, no audience.
 *
 * @see RFC 9728 §2 (members), §3.1 (where it is found), §5.1 (how a challenge points to it)
 * @module
 */
import { type Engine, HfAuthError } from '@hfauth/core'
import { callableEndpoint } from '../internal/endpoint.ts'
import { buildRefusal } from './refusal.ts'

export interface ResourceMetadataOptions {
  readonly engine: Engine
  /** Address of what is protected, as its clients call it: `https://api.acme.dev` or with a path. */
  readonly resource: string
  /** Where clients get tokens for it. Default the policy's issuers that people sign in at. */
  readonly authorizationServers?: readonly string[]
  /** Default what the roles can need of Hugging Face in the engine's environment, and the policy's own scopes. */
  readonly scopes?: readonly string[]
  /** Name for people. */
  readonly name?: string
  /** Address of a page for developers. */
  readonly documentation?: string
}

export interface ResourceMetadata {
  /** For `resourceMetadataUrl` of the guard. */
  readonly url: string
  /** For the router: the well-known part stands in front of the resource's own path. */
  readonly path: string
  readonly document: Readonly<Record<string, string | readonly string[]>>
  /** Answers GET and HEAD on its path to whoever asks. */
  handle(request: Pick<Request, 'method' | 'url'>): Response
}

const wellKnown = '/.well-known/oauth-protected-resource'

/**
 * Builds the metadata of one protected resource.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an address is not https (or http on this machine), or has a
 * query or fragment.
 */
export function createResourceMetadata(options: ResourceMetadataOptions): ResourceMetadata {
  const { engine, resource, name, documentation } = options
  const url = addressOption('resource', resource)
  const { authorizationServers = issuersOf(engine), scopes = scopesOf(engine) } = options
  for (const server of authorizationServers) addressOption('authorizationServers', server)
  const document = Object.freeze({
    // As it was given: a client compares it with the address that it used.
    resource,
    authorization_servers: [...authorizationServers],
    ...(scopes.length === 0 ? {} : { scopes_supported: [...scopes] }),
    bearer_methods_supported: ['header'],
    ...(name === undefined ? {} : { resource_name: name }),
    ...(documentation === undefined ? {} : { resource_documentation: documentation }),
  })
  const body = JSON.stringify(document)
  const path = url.pathname === '/' ? wellKnown : wellKnown + url.pathname

  return {
    url: url.origin + path,
    path,
    document,
    handle({ method, url: asked }) {
      const requestId = crypto.randomUUID()
      if (new URL(asked).pathname !== path) {
        const detail = 'There is nothing here.'
        return buildRefusal({ status: 404, reason: 'route_unknown', detail }, { requestId })
      }
      if (method !== 'GET' && method !== 'HEAD') {
        const headers = { allow: 'GET, HEAD' }
        const detail = 'This method is not used here.'
        return buildRefusal({ status: 405, reason: 'method_unknown', detail, headers }, { requestId })
      }
      return new Response(method === 'HEAD' ? null : body, {
        headers: {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
          'cache-control': 'public, max-age=3600',
          // It is for every client, on whatever page it runs.
          'access-control-allow-origin': '*',
          'x-content-type-options': 'nosniff',
        },
      })
    },
  }
}

function addressOption(option: string, text: string): URL {
  const url = callableEndpoint(text, URL.canParse(text) ? text : 'https://invalid')
  if (url === undefined || url.search !== '') {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `\`${option}\` has \`${text}\`, which is no https address`)
  }
  return url
}

/** A CI job brings its own token: its issuer is no place to be sent to. */
function issuersOf({ policy }: Engine): string[] {
  const urls = [...policy.issuers.values()].flatMap(({ preset, url }) =>
    preset.kind === 'user' ? [url] : [],
  )
  return [...new Set(urls)]
}

function scopesOf(engine: Engine): string[] {
  return [...new Set([...engine.scopes(), ...engine.policy.scopes.keys()])].sort()
}
