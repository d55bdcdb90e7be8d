/**
 * Verifier, measured: a span and a duration for each credential, and which of them the cache answered.
 *
 * @module
 */
import type { VerifiedCredential, Verifier } from '../verify/types.ts'
import { counter, errorAttribute, secondsHistogram, traced } from './api.ts'
import { extended } from './extended.ts'

/** Issuer and kind of credential are told, never whose it is. */
export function instrumentVerifier<V extends Verifier>(verifier: V): V {
  const duration = secondsHistogram('hfauth.verify.duration', 'Duration of checking one credential')
  const hits = counter('hfauth.verify.cache.hits', '{credential}', 'Credentials that needed no check')
  // A verifier gives the same object for a token as long as it remembers it.
  const seen = new WeakSet<VerifiedCredential>()

  return extended<Verifier>(verifier, {
    verify: (token) =>
      traced(
        'hfauth.verify',
        {
          read(credential) {
            const isHit = seen.has(credential)
            seen.add(credential)
            return { attributes: { ...described(credential), 'hfauth.cache.hit': isHit } }
          },
          ended(seconds, { attributes, error }, credential) {
            duration(seconds, { ...attributes, ...errorAttribute(error) })
            if (attributes?.['hfauth.cache.hit'] === true && credential) hits(described(credential))
          },
        },
        () => verifier.verify(token),
      ),
  }) as V
}

function described({ issuer, kind }: VerifiedCredential) {
  return { 'hfauth.issuer': issuer.alias, 'hfauth.credential': kind }
}
