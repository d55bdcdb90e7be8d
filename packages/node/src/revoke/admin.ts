/**
 * Admin revocation: an endpoint through which somebody whom the policy allows takes credentials back.
 *
 * POST → guard → **admin revocation** → intake.
 *
 * @module
 */
import { auditActor, HfAuthError, type Principal, type ResourceInput } from '@hfauth/core'
import { parseJsonObject } from '../internal/json-object.ts'
import { answer, type Door, hasType, isRetryable, readBody, tryLater } from './http.ts'
import type { RevocationIntake } from './intake.ts'
import { readRevocation } from './read-revocation.ts'

/** The part of the guard that is needed; a `Guard` has it. */
export interface AdminGuard {
  check(
    request: Request,
    question: { readonly action: string; readonly resource: ResourceInput; readonly route: string },
  ): Promise<
    | {
        readonly allowed: true
        readonly principal: Principal
        readonly access: { roles(): readonly string[] }
        readonly requestId: string
      }
    | { readonly allowed: false; readonly response: Response }
  >
}

export interface AdminRevocationOptions {
  readonly intake: RevocationIntake
  readonly guard: AdminGuard
  /** What one has to be allowed for it: an action and a resource of the policy. */
  readonly question: { readonly action: string; readonly resource: ResourceInput }
}

const maxBodyBytes = 16 * 1024

/**
 * Makes the endpoint. Its body is one `Revocation` as JSON. 204 when it is in force everywhere; 400 when it
 * names nothing; 503 when it is in force here, and not shared or not on record yet; refusals are the guard's.
 */
export function createAdminRevocation({ intake, guard, question }: AdminRevocationOptions): Door {
  return async (request) => {
    if (request.method !== 'POST') return answer(405, undefined, { allow: 'POST' })
    const outcome = await guard.check(request, { ...question, route: 'revocations' })
    if (!outcome.allowed) return outcome.response
    try {
      const body = hasType(request, 'application/json') ? await readBody(request, maxBodyBytes) : undefined
      const revocation = readRevocation(parseJsonObject(body ?? '', { maxDepth: 2, maxValues: 20 }))
      const { principal, access, requestId } = outcome
      const actor = auditActor(principal, access.roles())
      await intake.receive({ door: 'admin', actor, revocations: [revocation], requestId })
      return answer(204)
    } catch (error) {
      if (isRetryable(error)) return tryLater()
      if (!(error instanceof HfAuthError)) throw error
      return answer(400, { error: 'invalid_request', error_description: error.message })
    }
  }
}
