/**
 * Preset world: every provider at its real address, played by one server on loopback.
 *
 * Policies and tokens have the addresses that they have out there; only the last hop is bent.
 *
 * @module
 */
import { type Policy, type PolicyDocument, parsePolicy } from '@hfauth/core'
import { createVerifier, type TokenVerifier, type VerifierOptions } from '../src/index.ts'
import { type Answer, createClock, json, type LoopbackIssuer, rsa, startIssuer } from './loopback-issuer.ts'

export interface PresetWorld {
  readonly server: LoopbackIssuer
  readonly clock: ReturnType<typeof createClock>
  readonly fetch: typeof globalThis.fetch
  /** Publishes discovery and keys of an issuer at its own address. */
  publish(issuer: string, keys?: readonly object[], metadata?: object): void
  answer(url: string, answer: Answer): void
  /** Addresses asked for, in order, without their scheme. */
  readonly asked: readonly string[]
}

export async function startPresetWorld(): Promise<PresetWorld> {
  const server = await startIssuer()
  const pathOf = (address: string) => {
    const { host, pathname, search } = new URL(address)
    return `/${host}${pathname}${search}`
  }
  const world: PresetWorld = {
    server,
    clock: createClock(),
    fetch: (input, init) => globalThis.fetch(`${server.url}${pathOf(String(input))}`, init),
    publish(issuer, keys = [rsa.jwk], metadata = {}) {
      const base = issuer.replace(/\/$/, '')
      world.answer(
        `${base}/.well-known/openid-configuration`,
        json({ issuer, jwks_uri: `${base}/jwks`, ...metadata }),
      )
      world.answer(`${base}/jwks`, json({ keys }))
    },
    answer: (url, answer) => server.answers.set(pathOf(url), answer),
    get asked() {
      return server.requests.map((path) => path.slice(1))
    },
  }
  return world
}

export function policyOf(issuers: Record<string, object>, more: Partial<PolicyDocument> = {}): Policy {
  return parsePolicy({
    version: 1,
    name: 'test',
    issuers: issuers as never,
    environments: { production: {} },
    roles: {},
    bindings: [],
    ...more,
  })
}

export function verifierIn(
  world: PresetWorld,
  policy: Policy,
  options: Partial<VerifierOptions> = {},
): TokenVerifier {
  return createVerifier({ policy, fetch: world.fetch, now: () => world.clock.ms, ...options })
}
