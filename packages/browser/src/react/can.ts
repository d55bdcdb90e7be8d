/**
 * Can: shows its children when they may be used, and something else when not.
 *
 * use access → **can** → components. For showing and hiding; the server decides again.
 *
 * @module
 */
import type { Decision, RequestContext, ResourceInput } from '@hfauth/core'
import type { ReactNode } from 'react'
import { type Help, helpFor } from '../access/help.ts'
import { useAccess } from './use-access.ts'
import { useSession } from './use-session.ts'

export interface CanProps {
  readonly action: string
  /** `type:id`, or an object with what is known of it. */
  readonly resource: ResourceInput
  /** Facts of the request. */
  readonly context?: RequestContext | undefined
  /** Shown when it is allowed. */
  readonly children?: ReactNode
  /** Shown while it is not known who is signed in, or what they may. Default: nothing. */
  readonly loading?: ReactNode
  /** Shown when attributes that were not given would settle it. Default: as when it is denied. */
  readonly maybe?: ReactNode
  /** Shown, instead of `denied`, when signing in anew or asking somebody for access would help. */
  readonly ask?: ((help: Help, decision: Decision) => ReactNode) | undefined
  /** Shown when it is denied. Default: nothing. */
  readonly denied?: ReactNode
}

export function Can(props: CanProps): ReactNode {
  const { action, resource, context, children, loading, maybe, ask, denied = null } = props
  const { status, likelihood, decide } = useAccess()
  const { session } = useSession()
  if (status === 'loading') return loading ?? null
  const answer = likelihood(action, resource, context)
  if (answer === 'allow') return children ?? null
  if (answer === 'maybe' && maybe !== undefined) return maybe
  const decision = ask && decide({ action, resource, ...(context && { context }) })
  if (decision === undefined) return denied
  const help = helpFor(decision, session)
  return help.kind === 'ask' || help.kind === 'sign_in' ? ask?.(help, decision) : denied
}
