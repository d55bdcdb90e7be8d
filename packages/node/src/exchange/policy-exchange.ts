/**
 * Policy exchange: exactly what the policy lets a principal have, and never more.
 *
 * decide → scopes → **policy exchange** → exchange. Takes a principal and what they want to do; scopes and
 * resource follow from the policy, so that nobody can ask for more by accident.
 *
 * @module
 */
import {
  type Engine,
  HfAuthError,
  type Principal,
  type Question,
  type Resource,
  type ResourceInput,
} from '@hfauth/core'
import { assertMayAct, type ExchangeActor } from './may-act.ts'
import { ownerOf } from './owner.ts'
import { publisherResource } from './publisher-resource.ts'
import type { ExchangedToken, ExchangeOwner, TokenExchange } from './types.ts'

export interface PolicyExchangeOptions {
  readonly engine: Engine
  readonly exchange: TokenExchange
  /** Who we are to issuers whose tokens say who may act for their subject (`may_act`). Default nobody. */
  readonly actor?: ExchangeActor
}

export interface PolicyExchange {
  /**
   * For a member of the organisation, by an e-mail address that their provider has verified: the smallest
   * scopes for one question, or without one for everything that the principal's roles allow here.
   *
   * @throws HfAuthError `HFAUTH_EXCHANGE_REFUSED` when the policy denies the question, when nothing in it needs
   * a scope, when there is no verified address, or when `may_act` names somebody else; otherwise as the exchange.
   */
  forMember(principal: Principal, question?: Question): Promise<ExchangedToken>
  /**
   * For a CI job, by its own ID token: a token for the one repository of the question.
   *
   * Such a token can write, whatever the question is; keep it from jobs that may only read.
   *
   * @throws HfAuthError `HFAUTH_EXCHANGE_REFUSED` when the policy denies the question, or nothing of that type
   * can be had; otherwise as the exchange.
   */
  forPublisher(
    principal: Principal,
    request: { readonly idToken: string; readonly question: Question },
  ): Promise<ExchangedToken>
}

export function createPolicyExchange({ engine, exchange, actor }: PolicyExchangeOptions): PolicyExchange {
  const issuerNamed = (alias: string) => engine.policy.issuers.get(alias)
  const ownerIn = (principal: Principal, environment = engine.environment): ExchangeOwner =>
    ownerOf(principal, { environment, issuer: issuerNamed(principal.issuer)?.url ?? '', issuerNamed })

  function allowed(principal: Principal, question: Question) {
    const decision = engine.for(principal).decide(question)
    if (decision.allowed) return decision
    throw refused(`the policy denies \`${decision.action}\` (\`${decision.reason}\`)`)
  }

  return {
    async forMember(principal, question) {
      assertMayAct(principal, actor)
      const scopes =
        question === undefined ? engine.for(principal).scopes() : allowed(principal, question).scopes
      const { kind, email, emailVerified } = principal
      if (kind !== 'user' || email === undefined || emailVerified !== true) {
        throw refused('the principal has no verified e-mail address')
      }
      if (scopes.length === 0) throw refused('the policy yields no scope to ask for')
      return exchange.forMember({ email, scopes, owner: ownerIn(principal, question?.environment) })
    },

    async forPublisher(principal, { idToken, question }) {
      allowed(principal, question)
      const resource = publisherResource(named(question.resource))
      if (principal.kind !== 'workload' || resource === undefined) {
        throw refused('only a job can be a trusted publisher, and only of a repository')
      }
      return exchange.forPublisher({ idToken, resource, owner: ownerIn(principal, question.environment) })
    },
  }
}

function named(resource: ResourceInput): Pick<Resource, 'type' | 'id'> {
  if (typeof resource !== 'string') return resource
  const colon = resource.indexOf(':')
  return { type: resource.slice(0, Math.max(colon, 0)), id: resource.slice(colon + 1) }
}

function refused(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_EXCHANGE_REFUSED', `nothing is exchanged: ${reason}`)
}
