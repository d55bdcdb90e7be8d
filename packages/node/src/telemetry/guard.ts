/**
 * Guard, measured: one span around everything that is done to judge a request.
 *
 * @module
 */
import type { Guard } from '../guard/types.ts'
import { traced } from './api.ts'
import { extended } from './extended.ts'
import { httpMethod } from './fetch.ts'

/** The span belongs to the trace of the request, also where nothing else is instrumented. */
export function instrumentGuard(guard: Guard): Guard {
  return extended(guard, {
    check: (request, question, connection) =>
      traced(
        'hfauth.check',
        {
          headers: request.headers,
          attributes: { 'http.request.method': httpMethod(request.method) },
          read: (outcome) => ({
            attributes: {
              'hfauth.effect': outcome.allowed ? 'allow' : 'deny',
              'hfauth.reason': outcome.allowed ? outcome.decision.reason : outcome.reason,
            },
          }),
        },
        () => guard.check(request, question, connection),
      ),
  })
}
