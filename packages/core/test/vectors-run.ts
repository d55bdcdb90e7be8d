/**
 * Runs golden vectors against any build of core, in any runtime: it is handed the module, and imports nothing.
 */

/** As much of core as vectors need. Brands differ from build to build, so nothing here names them. */
export interface CoreModule {
  readonly anonymous: unknown
  readonly presets: ReadonlyMap<string, unknown>
  parsePolicy(text: string): unknown
  principalFromClaims(verified: never): unknown
  createEngine(
    policy: never,
    options: { readonly environment: string; readonly now: () => number },
  ): { for(principal: never): VectorAccess & { snapshot(): { readonly digest: string } } }
  loadSnapshot(text: string, options: { readonly now: () => number }): VectorAccess
  digestOf(value: never): string
}

interface VectorAccess {
  decide(question: never): VectorDecision
}

interface VectorDecision {
  readonly reason: string
  readonly statements: readonly { readonly id: string }[]
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly missingAttributes: readonly string[]
}

export interface VectorPrincipal {
  readonly issuer: string
  readonly preset: string
  readonly credential: string
  readonly claims: object
}

export interface VectorQuestion {
  /** A name under `principals`. */
  readonly principal: string
  readonly question: object
  readonly reason: string
  readonly statements: readonly string[]
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly missing: readonly string[]
  /** Over the canonical JSON of the whole decision. */
  readonly digest: string
}

export interface VectorCase {
  readonly name: string
  readonly policy: object
  readonly environment: string
  /** Epoch milliseconds. */
  readonly now: number
  readonly principals: Readonly<Record<string, VectorPrincipal | 'anonymous'>>
  /** Digest of each principal's snapshot. */
  readonly snapshots: Readonly<Record<string, string>>
  readonly questions: readonly VectorQuestion[]
}

export interface VectorFile {
  readonly section: string
  readonly cases: readonly VectorCase[]
}

export interface VectorResult {
  readonly questions: number
  readonly snapshots: number
  /** What came out differently, each as a sentence. */
  readonly drift: readonly string[]
  /** Over all digests in their order: equal in every runtime. */
  readonly digest: string
}

export function runVectors(core: CoreModule, file: VectorFile): VectorResult {
  const drift: string[] = []
  const digests: string[] = []
  let snapshots = 0
  for (const { name, policy, environment, now, principals, snapshots: wanted, questions } of file.cases) {
    const clock = () => now
    const engine = core.createEngine(core.parsePolicy(JSON.stringify(policy)) as never, {
      environment,
      now: clock,
    })
    const accesses = new Map(
      Object.entries(principals).map(([who, principal]) => [
        who,
        engine.for(issue(core, principal) as never),
      ]),
    )
    const loaded = new Map<string, VectorAccess>()
    for (const [who, access] of accesses) {
      const snapshot = access.snapshot()
      snapshots += 1
      digests.push(snapshot.digest)
      if (snapshot.digest !== wanted[who]) drift.push(`${name}: the snapshot of ${who} is ${snapshot.digest}`)
      loaded.set(who, core.loadSnapshot(JSON.stringify(snapshot), { now: clock }))
    }
    for (const expected of questions) {
      const decision = accesses.get(expected.principal)?.decide(expected.question as never)
      const again = loaded.get(expected.principal)?.decide(expected.question as never)
      if (decision === undefined || again === undefined) {
        drift.push(`${name}: nobody is called ${expected.principal}`)
        continue
      }
      const digest = core.digestOf(decision as never)
      digests.push(digest)
      const found = {
        reason: decision.reason,
        statements: decision.statements.map(({ id }) => id),
        roles: decision.roles,
        scopes: decision.scopes,
        missing: decision.missingAttributes,
        digest,
      }
      const { principal: who, question, ...rest } = expected
      const asked = `${name}: ${who} asks ${JSON.stringify(question)}`
      if (JSON.stringify(found) !== JSON.stringify(rest)) drift.push(`${asked} → ${JSON.stringify(found)}`)
      // A snapshot is of one environment and does not know the others.
      if (again.reason !== decision.reason && !('environment' in question))
        drift.push(`${asked} of a snapshot → ${again.reason}`)
    }
  }
  return {
    questions: file.cases.reduce((sum, { questions }) => sum + questions.length, 0),
    snapshots,
    drift,
    digest: core.digestOf(digests as never),
  }
}

function issue(core: CoreModule, principal: VectorPrincipal | 'anonymous'): unknown {
  if (principal === 'anonymous') return core.anonymous
  return core.principalFromClaims({ ...principal, preset: core.presets.get(principal.preset) } as never)
}
