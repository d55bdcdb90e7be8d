/**
 * hfauth, as its users call it.
 */
import {
  createEngine,
  type Policy,
  type Principal,
  parsePolicy,
  presets,
  principalFromClaims,
} from '@hfauth/core'
import type { Engine } from '../engine.ts'
import { ceiling, type Workload } from '../workload.ts'

export function toDocument(workload: Workload): Parameters<typeof parsePolicy>[0] {
  const roles: Record<string, { extends?: string[]; allow: object[] }> = {}
  for (const [role, parent] of workload.parents)
    roles[role] = { ...(parent === undefined ? {} : { extends: [parent] }), allow: [] }
  const deny: object[] = []
  for (const { effect, role, actions, patterns, ungated } of workload.statements) {
    const statement = {
      actions: [...actions],
      on: patterns.map(({ type, owner, name }) => `${type}:${owner}/${name}`),
      ...(ungated ? { when: { 'resource.gated': false } } : {}),
    }
    if (effect === 'deny') deny.push(statement)
    else roles[role ?? '']?.allow.push(statement)
  }
  return {
    version: 1,
    name: 'bench',
    issuers: { id: { preset: 'oidc', issuer: 'https://id.acme.dev', audience: 'bench' } },
    environments: { production: { actions: [...ceiling] } },
    roles,
    bindings: workload.bindings.map(({ group, role }) => ({ roles: [role], to: { issuer: 'id', group } })),
    deny,
  } as Parameters<typeof parsePolicy>[0]
}

const oidc = presets.get('oidc')
let serial = 0

export function principalOf(groups: readonly string[]): Principal {
  if (oidc === undefined) throw new Error('no preset `oidc`')
  const now = Math.floor(Date.now() / 1000)
  const claims = { sub: `user-${serial++}`, groups: [...groups], iat: now, exp: now + 86_400 }
  return principalFromClaims({ issuer: 'id', preset: oidc, credential: 'id_token', claims })
}

export const hfauth: Engine = {
  name: 'hfauth',
  largest: Number.POSITIVE_INFINITY,
  load(workload) {
    const policy: Policy = parsePolicy(toDocument(workload))
    const engine = createEngine(policy, { environment: 'production' })
    const principals = new Map<string, Principal>()
    const principalFor = (groups: readonly string[]) => {
      const key = groups.join()
      const known = principals.get(key) ?? principalOf(groups)
      principals.set(key, known)
      return known
    }
    return {
      warm(groups) {
        const access = engine.for(principalFor(groups))
        return (question) => access.can(question.action, question.resource)
      },
      newcomer(groups) {
        const principal = principalOf(groups)
        return (question) => engine.for(principal).can(question.action, question.resource)
      },
      filter(groups) {
        const access = engine.for(principalFor(groups))
        return (action, resources) => access.filter(action, resources).length
      },
    }
  },
}
