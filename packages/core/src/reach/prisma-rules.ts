/**
 * Prisma rules: one principal's rules for `@casl/prisma`, so that a query finds only the rows that are allowed.
 *
 * portable rules → **prisma rules**. Plain data for `createPrismaAbility` and `accessibleBy`; nothing of Prisma
 * is needed here.
 *
 * @module
 */

import type { Access } from '../decide/access.ts'
import type { RequestContext } from '../types.ts'
import { portableRulesOf } from './portable-rules.ts'
import type { PrismaConditions } from './prisma-words.ts'

/** As `createPrismaAbility` of `@casl/prisma` takes it; an `inverted` one forbids. */
export interface PrismaRule {
  readonly action: string[]
  /** Names of Prisma models. */
  readonly subject: string[]
  readonly conditions?: PrismaConditions
  readonly inverted?: boolean
  readonly reason?: string
}

export interface PrismaRulesOptions {
  /** The Prisma model that holds resources of a type: `{ model: 'HubModel' }`. Types that are not named have no rules. */
  readonly models: { readonly [type: string]: string }
  /** Facts of the request. What is left out stays unknown. */
  readonly context?: RequestContext
}

/**
 * A principal's rules in Prisma's vocabulary, allows first. Allows that have no words there are left out,
 * denials are widened.
 *
 * Rows need the columns `id` (canonical), `owner` and `name`, and the attributes that the rules mention, lists
 * as scalar lists. Like an ability they are those of the moment they are made.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the access comes neither from an engine nor from a snapshot.
 */
export function prismaRulesOf(access: Access, { models, context = {} }: PrismaRulesOptions): PrismaRule[] {
  return portableRulesOf(access, context, 'prisma').rules.flatMap((rule) => {
    const subject = rule.subject.flatMap((type) => (Object.hasOwn(models, type) ? (models[type] ?? []) : []))
    return subject.length === 0 ? [] : [{ ...rule, subject }]
  })
}
