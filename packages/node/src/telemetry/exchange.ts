/**
 * Exchange, measured: a span and a duration for each token that is asked for.
 *
 * @module
 */
import type { TokenExchange } from '../exchange/types.ts'
import { errorAttribute, secondsHistogram, traced } from './api.ts'
import { extended } from './extended.ts'

/** Told is for which kind of caller, never for whom or with which scopes. */
export function instrumentExchange(exchange: TokenExchange): TokenExchange {
  const duration = secondsHistogram('hfauth.exchange.duration', 'Duration of getting a token of Hugging Face')
  const measure = <T>(kind: 'member' | 'publisher', run: () => Promise<T>) => {
    const attributes = { 'hfauth.exchange.kind': kind }
    const ended = (seconds: number, { error }: { readonly error?: string }) =>
      duration(seconds, { ...attributes, ...errorAttribute(error) })
    return traced<T>('hfauth.exchange', { attributes, ended }, run)
  }
  return extended(exchange, {
    forMember: (member) => measure('member', () => exchange.forMember(member)),
    forPublisher: (publisher) => measure('publisher', () => exchange.forPublisher(publisher)),
  })
}
