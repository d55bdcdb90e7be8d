/**
 * Consents: which scopes and organisations a person granted to an app.
 *
 * consent page → **consents** → provider (skips the page next time), userinfo and hub
 * (what an organisation grant opens). Remembered per person and app, not per browser.
 *
 * @module
 */

export interface GrantedOrgs {
  /** Ids of the organisations ticked on the consent page. */
  readonly orgIds: ReadonlySet<string>
  /** Set on tokens from the member exchange: they reach this organisation only, by id. */
  readonly onlyOrgId?: string
}

export interface Consent {
  readonly scopes: ReadonlySet<string>
  readonly orgIds: ReadonlySet<string>
}

export interface Consents {
  /** Keeps a consent and ties its organisations to the provider's grant. */
  remember(personId: string, clientId: string, consent: Consent): void
  /** An earlier consent that covers all of `scopes`. */
  recall(personId: string, clientId: string, scopes: Iterable<string>): Consent | undefined
  /** Forgets what a person granted to an app, as the settings page for connected apps does. */
  forget(personId: string, clientId: string): void
  attach(grantId: string, granted: GrantedOrgs): void
  grantedOrgs(grantId: string | undefined): GrantedOrgs
}

export function createConsents(): Consents {
  const remembered = new Map<string, Consent>()
  const byGrant = new Map<string, GrantedOrgs>()
  const key = (personId: string, clientId: string) => `${personId} ${clientId}`
  return {
    remember(personId, clientId, consent) {
      remembered.set(key(personId, clientId), consent)
    },
    recall(personId, clientId, scopes) {
      const consent = remembered.get(key(personId, clientId))
      return consent && [...scopes].every((scope) => consent.scopes.has(scope)) ? consent : undefined
    },
    forget(personId, clientId) {
      remembered.delete(key(personId, clientId))
    },
    attach(grantId, granted) {
      byGrant.set(grantId, granted)
    },
    grantedOrgs(grantId) {
      return byGrant.get(grantId ?? '') ?? { orgIds: new Set() }
    },
  }
}
