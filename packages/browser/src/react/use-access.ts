/**
 * Use access: what the person signed in may do, kept up to date.
 *
 * provider → **use access** → components. For showing and hiding; the server decides again.
 *
 * @module
 */
import type { Decision, Likelihood, Question, RequestContext, ResourceInput } from '@hfauth/core'
import { useMemo, useSyncExternalStore } from 'react'
import type { PermissionsState } from '../access/permissions.ts'
import { useProvided } from './provider.ts'
import { useSession } from './use-session.ts'

export interface AccessView {
  /** `loading` until it is known who is signed in and, if somebody is, what they may. `none`: no rules, nothing is allowed. */
  readonly status: 'loading' | 'ready' | 'none'
  can(action: string, resource: ResourceInput, context?: RequestContext): boolean
  /** As `can`, and `maybe` when attributes that were not given would settle it. */
  likelihood(action: string, resource: ResourceInput, context?: RequestContext): Likelihood
  /** The answer with its reason, for `helpFor`; `undefined` while there are no rules. */
  decide(question: Question): Decision | undefined
}

const nothing: PermissionsState = /* @__PURE__ */ Object.freeze({
  status: 'empty',
  access: undefined,
  error: undefined,
})
const never = () => () => {}

/** The same object until the session or the rules change. */
export function useAccess(): AccessView {
  const { permissions } = useProvided()
  const session = useSession()
  const { status, access } = useSyncExternalStore(
    permissions?.subscribe ?? never,
    permissions?.getSnapshot ?? (() => nothing),
    () => nothing,
  )
  const isLoading = session.status === 'unknown' || status === 'loading'
  return useMemo(
    () => ({
      status: access !== undefined ? 'ready' : isLoading ? 'loading' : 'none',
      can: (action, resource, context) => access?.can(action, resource, context) ?? false,
      likelihood: (action, resource, context) => access?.likelihood(action, resource, context) ?? 'deny',
      decide: (question) => access?.decide(question),
    }),
    [access, isLoading],
  )
}
