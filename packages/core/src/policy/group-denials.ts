/**
 * Group denials: bindings by group whose roles deny what somebody keeps from another binding.
 *
 * Told as warnings. What a principal does not tell does not bind, so while its groups are unknown such a denial does
 * not hold, and what was to be taken away stays. A denial of what only its own binding grants is no finding: without
 * the groups neither counts.
 *
 * @module
 */
import type { Binding, Role, Statement } from './policy.ts'
import { covers, type Effort, fullEffort } from './shadows.ts'

export interface GroupDenial {
  /** Place of the binding in the document, counted from 0. */
  readonly binding: number
  /** The role that denies. */
  readonly role: string
  /** Place of a binding that gives it all the same. */
  readonly kept: number
}

/** One finding for each binding at most: the first of its denials that somebody gets round. */
export function findGroupDenials(
  roles: ReadonlyMap<string, Role>,
  bindings: readonly Binding[],
): GroupDenial[] {
  const heldBy = (binding: Binding, effect: Statement['effect']) =>
    [...new Set(binding.roles.flatMap((name) => roles.get(name)?.closure ?? []))].flatMap((role) =>
      (roles.get(role)?.statements ?? [])
        .filter((statement) => statement.effect === effect)
        .map((statement) => ({ role, statement })),
    )
  const places = bindings.map((binding, place) => ({ binding, place }))
  // Thousands of bindings differ by whom they are for, and not by what they give.
  const others = firstOfEach(places.filter(({ binding }) => bindsWithoutGroups(binding))).map((it) => ({
    ...it,
    allows: heldBy(it.binding, 'allow'),
  }))
  const effort = fullEffort()
  const found = new Map<string, Omit<GroupDenial, 'binding'> | undefined>()

  function look(binding: Binding): Omit<GroupDenial, 'binding'> | undefined {
    for (const { role, statement: denial } of heldBy(binding, 'deny')) {
      const kept = others.find(
        (other) =>
          effort.left > 0 &&
          mayBindOne(binding, other.binding) &&
          other.allows.some(({ statement }) => mayMeet(denial, statement, effort)),
      )
      if (kept !== undefined) return { role, kept: kept.place }
    }
    return undefined
  }

  return places.flatMap(({ binding, place }) => {
    if (binding.to.group === undefined) return []
    const key = whatItGives(binding)
    if (!found.has(key)) found.set(key, look(binding))
    const finding = found.get(key)
    return finding === undefined ? [] : [{ binding: place, ...finding }]
  })
}

function firstOfEach<T extends { readonly binding: Binding }>(items: readonly T[]): T[] {
  const first = new Map<string, T>()
  for (const item of items) {
    const key = whatItGives(item.binding)
    if (!first.has(key)) first.set(key, item)
  }
  return [...first.values()]
}

function whatItGives({ roles, to }: Binding): string {
  return JSON.stringify([roles, to.issuer, to.kind])
}

function bindsWithoutGroups({ to }: Binding): boolean {
  return to.group === undefined && to.anonymous !== true
}

/** Whether both may be about one principal, as far as issuers and kinds tell. */
function mayBindOne({ to }: Binding, { to: other }: Binding): boolean {
  const share = (one: string | readonly string[] | undefined, two: typeof one) =>
    one === undefined || two === undefined || [one].flat().some((value) => [two].flat().includes(value))
  return share(to.issuer, other.issuer) && share(to.kind, other.kind)
}

/** Whether there may be a request that both are about. Patterns that neither covers may still meet: that is not told. */
function mayMeet(denial: Statement, allow: Statement, effort: Effort): boolean {
  const acts =
    denial.actions.includes('*') ||
    allow.actions.includes('*') ||
    allow.actions.some((action) => denial.actions.includes(action))
  const { environments } = allow
  const somewhere =
    denial.environments === undefined ||
    environments === undefined ||
    [...environments].some((name) => denial.environments?.has(name))
  return (
    acts &&
    somewhere &&
    denial.patterns.some((one) =>
      allow.patterns.some((other) => covers(one, other, effort) || covers(other, one, effort)),
    )
  )
}
