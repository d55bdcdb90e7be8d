/**
 * Follow policy: one policy after the other from a source, each on record before it is in force.
 *
 * source → **follow** → engine. A text with faults never replaces a policy without: what is in force stays in
 * force, and the rejection is an event.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { HfAuthError, type Policy } from '@hfauth/core'
import type { AuditEntry, AuditLog } from '../audit/types.ts'
import { numberOption } from '../internal/number-option.ts'
import type { PolicySource } from './types.ts'

export interface FollowPolicyOptions {
  readonly source: PolicySource
  /** Reads and checks the text, `parsePolicy` for example. */
  readonly parse: (text: string) => Policy
  /** Puts a policy in force. What it throws keeps the one before in force, and is recorded like a fault. */
  readonly apply: (policy: Policy) => void | Promise<void>
  /** Takes `io.hfauth.policy.loaded` and `io.hfauth.policy.rejected`. */
  readonly audit: AuditLog
  /** How often the source is asked without a hint, in milliseconds. Default 60,000. */
  readonly everyMs?: number
  /** Hears why a text was not taken; the messages name places in it and no secret. */
  readonly onRejected?: (error: HfAuthError) => void
}

export interface FollowedPolicy {
  /** The policy in force. */
  policy(): Policy
  /** Why the newest text is not in force, when it is not. */
  fault(): HfAuthError | undefined
  /** Asks the source now; resolves when what it says is in force, or rejected. Never throws. */
  reload(): Promise<void>
  /** Stops following; the policy in force stays as it is. */
  close(): void
}

/**
 * Resolves once the first policy is in force.
 *
 * @throws HfAuthError `HFAUTH_POLICY_INVALID`, `HFAUTH_POLICY_UNAVAILABLE`, `HFAUTH_AUDIT_UNAVAILABLE`, or what
 * `apply` throws, when there is no first policy.
 */
export async function followPolicy(options: FollowPolicyOptions): Promise<FollowedPolicy> {
  const { source, parse, apply, audit, onRejected } = options
  const everyMs = numberOption('everyMs', options.everyMs ?? 60_000, { min: 100 })
  let current: Policy | undefined
  let fault: HfAuthError | undefined
  let turn: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined
  /** The newest text until it is in force: a source that says that nothing is new does not give it again. */
  let pending: string | undefined

  async function take(): Promise<void> {
    pending = (await source.load()) ?? pending
    if (pending !== undefined) await putInForce(parse(pending))
    pending = undefined
    fault = undefined
  }

  async function putInForce(policy: Policy): Promise<void> {
    if (policy.reference.digest === current?.reference.digest) return
    // On record first: nobody is judged by a policy that nobody can name afterwards.
    await audit.record(entryOf('io.hfauth.policy.loaded', policy))
    await apply(policy)
    current = policy
  }

  async function attempt(): Promise<void> {
    try {
      await take()
    } catch (error) {
      await reject(errorOf(error))
    }
  }

  async function reject(error: HfAuthError): Promise<void> {
    const isNews = fault?.message !== error.message
    fault = error
    if (!isNews) return
    try {
      onRejected?.(error)
    } catch {
      // A listener's fault must not end the following.
    }
    // Nor must a log that is down.
    await audit.record(entryOf('io.hfauth.policy.rejected', current, error.code)).catch(() => undefined)
  }

  /** One reading at a time; who asks during one waits for the next, which sees what came meanwhile. */
  function reload(): Promise<void> {
    waiting ??= turn.then(() => {
      waiting = undefined
      turn = attempt()
      return turn
    })
    return waiting
  }

  await reload()
  if (current === undefined) throw fault
  const stopWatching = source.watch?.(() => void reload())
  const timer = setInterval(() => void reload(), everyMs)
  timer.unref()
  return {
    policy: () => current as Policy,
    fault: () => fault,
    reload,
    close() {
      clearInterval(timer)
      stopWatching?.()
    },
  }
}

/** What is not ours is not shown: it may quote what it was given. */
function errorOf(error: unknown): HfAuthError {
  if (error instanceof HfAuthError) return error
  return new HfAuthError('HFAUTH_POLICY_INVALID', 'the policy could not be put in force')
}

function entryOf(type: AuditEntry['type'], policy: Policy | undefined, error?: string): AuditEntry {
  const { name = 'unknown', digest } = policy?.reference ?? {}
  return {
    type,
    requestId: randomUUID(),
    actor: { kind: 'workload', id: 'hfauth', issuer: 'hfauth', roles: [] },
    resource: { kind: 'policy', id: name, ...(digest === undefined ? {} : { revision: digest }) },
    ...(error === undefined ? {} : { error }),
  }
}
