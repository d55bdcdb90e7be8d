/**
 * The workload: one policy in the shape a team on Hugging Face would have, at four sizes, and questions
 * about it.
 *
 * Up to 50 organisations × 200 repositories: a policy of ten statements is that of one team, one of
 * hundreds speaks of all. Roles in chains of three; patterns that are exact, by owner and by prefix;
 * conditions, denials and a ceiling; principals in four groups. Everything is drawn from a seeded
 * generator, so each run and each engine sees the same.
 */

export const sizes = [10, 100, 1_000, 10_000] as const

export const organisations = 50
export const repositories = 200
export const types = ['model', 'dataset', 'space'] as const
export const actions = ['read', 'infer', 'write', 'delete'] as const
/** What the environment lets through at most. */
export const ceiling: readonly string[] = ['read', 'infer', 'write']

export interface Statement {
  readonly effect: 'allow' | 'deny'
  /** The role it belongs to; absent for a denial to everybody. */
  readonly role?: string
  readonly actions: readonly string[]
  readonly patterns: readonly Pattern[]
  /** Holds only for repositories without a gate. */
  readonly ungated: boolean
}

export interface Pattern {
  readonly type: string
  readonly owner: string
  /** Exact, a prefix with `*` at its end, or `*` for all of the owner's. */
  readonly name: string
}

export interface Workload {
  readonly size: number
  readonly statements: readonly Statement[]
  /** Each role's direct parent. */
  readonly parents: ReadonlyMap<string, string | undefined>
  /** Group → role; as many as statements. */
  readonly bindings: readonly { readonly group: string; readonly role: string }[]
  /** Groups of each principal. */
  readonly principals: readonly (readonly string[])[]
  readonly questions: readonly Question[]
}

export interface Question {
  readonly action: string
  readonly resource: Repository
}

export interface Repository {
  readonly type: string
  readonly owner: string
  readonly name: string
  readonly id: string
  readonly gated: boolean
  /** The same where an engine wants attributes apart, so that none has to convert anything while it is timed. */
  readonly attributes: { readonly gated: boolean }
}

export function createWorkload(size: number): Workload {
  const random = generator(size)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const owners = Math.min(organisations, Math.ceil(size / 10))
  const owner = () => ownerName(Math.floor(random() * owners))
  const name = () => repositoryName(Math.floor(random() * repositories))

  const statements: Statement[] = []
  const parents = new Map<string, string | undefined>()
  const denials = Math.floor(size / 10)
  while (statements.length < size - denials) {
    // A chain: viewer ← engineer ← lead, one statement each.
    const place = statements.length
    const chain = Math.floor(place / 3)
    const rank = place % 3
    parents.set(roleName(rank, chain), rank === 0 ? undefined : roleName(rank - 1, chain))
    const at = owner()
    statements.push({
      effect: 'allow',
      role: roleName(rank, chain),
      actions: [['read'], ['read', 'infer'], ['infer', 'write']][rank] as string[],
      patterns: [
        // All of one organisation's; two families of it, models and datasets; two repositories and a family.
        types.map((type) => ({ type, owner: at, name: '*' })),
        ['model', 'dataset'].map((type) => ({ type, owner: at, name: `${pick(families)}-*` })),
        [name(), name(), `${pick(families)}-*`].map((called) => ({ type: 'model', owner: at, name: called })),
      ][rank] as Pattern[],
      ungated: rank === 1 && random() < 0.5,
    })
  }
  const seen = new Set<string>()
  while (statements.length < size) {
    const called = random() < 0.5 ? name() : `${pick(families)}-*`
    const statement: Statement = {
      effect: 'deny',
      actions: [pick(ceiling)],
      patterns: [{ type: pick(types), owner: owner(), name: called }],
      ungated: false,
    }
    const key = JSON.stringify(statement)
    if (!seen.has(key)) statements.push(statement)
    seen.add(key)
  }
  const roles = [...parents.keys()]
  const bindings = Array.from({ length: size }, (_, i) => ({
    group: `group-${i}`,
    role: roles[i % roles.length] as string,
  }))
  const principals = Array.from({ length: 10_000 }, () =>
    Array.from({ length: 4 }, () => pick(bindings).group),
  )
  return {
    size,
    statements,
    parents,
    bindings,
    principals,
    questions: askAbout(statements, {
      random,
      pick,
      owner: () => ownerName(Math.floor(random() * organisations)),
      name,
    }),
  }
}

function roleName(rank: number, chain: number): string {
  return `${['viewer', 'engineer', 'lead'][rank]}-${chain}`
}

function ownerName(i: number): string {
  return `org${i}`
}

const families = ['vision', 'text', 'audio', 'code'] as const

function repositoryName(i: number): string {
  return `${families[i % families.length]}-${Math.floor(i / families.length)}`
}

interface Draw {
  readonly random: () => number
  pick<T>(list: readonly T[]): T
  readonly owner: () => string
  readonly name: () => string
}

/** Half of the questions are about what some statement names, so that answers of both kinds are common. */
function askAbout(statements: readonly Statement[], { random, pick, owner, name }: Draw): Question[] {
  return Array.from({ length: 1_000 }, () => {
    const statement = random() < 0.5 ? pick(statements) : undefined
    const near = statement && pick(statement.patterns)
    const at = near?.owner ?? owner()
    const called = near !== undefined && !near.name.includes('*') ? near.name : name()
    const gated = random() < 0.3
    return {
      action: statement === undefined ? pick(actions) : pick(statement.actions),
      resource: {
        type: near?.type ?? pick(types),
        owner: at,
        name: called,
        id: `${at}/${called}`,
        gated,
        attributes: { gated },
      },
    }
  })
}

/** A small seeded generator (mulberry32), so that every run draws the same. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A role and those it extends. */
export function closureOf(workload: Workload, role: string): string[] {
  const found: string[] = []
  for (let name: string | undefined = role; name !== undefined; name = workload.parents.get(name))
    found.push(name)
  return found
}
