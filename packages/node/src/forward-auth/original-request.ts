/**
 * Original request: the method and target that a gateway asks about, from the one place where that gateway puts
 * them.
 *
 * gateway → **original request** → guard. Each gateway has its own headers, and which one it is has been
 * configured: headers of the others are the client's own invention, and mean nothing.
 *
 * @see nginx: ngx_http_auth_request_module; Envoy: ext_authz HTTP service; Traefik: ForwardAuth; Caddy: forward_auth
 * @module
 */

export type Gateway = 'nginx' | 'envoy' | 'traefik' | 'caddy'

export interface OriginalRequest {
  readonly method: string
  /** As the client sent it to the gateway. */
  readonly target: string
}

const headersOf: Readonly<Record<Exclude<Gateway, 'envoy'>, readonly [method: string, target: string]>> = {
  nginx: ['x-original-method', 'x-original-uri'],
  traefik: ['x-forwarded-method', 'x-forwarded-uri'],
  caddy: ['x-forwarded-method', 'x-forwarded-uri'],
}

const methodName = /^[A-Z]{1,16}$/

/**
 * @param asked - The gateway's own request; repeated header fields are joined by a comma, which no method has.
 * @param target - Its target as it came over the wire: Envoy asks with that of the client.
 * @returns `undefined` when the gateway does not say, or says it twice.
 */
export function originalRequest(
  asked: { readonly method: string; readonly headers: Pick<Headers, 'get'> },
  target: string,
  gateway: Gateway,
): OriginalRequest | undefined {
  if (gateway === 'envoy') return { method: asked.method, target }
  const [methodHeader, targetHeader] = headersOf[gateway]
  const method = asked.headers.get(methodHeader)
  const original = asked.headers.get(targetHeader)
  if (method === null || !methodName.test(method) || original === null) return undefined
  return { method, target: original }
}

export function isGateway(value: string): value is Gateway {
  return value === 'envoy' || Object.hasOwn(headersOf, value)
}
