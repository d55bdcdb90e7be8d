/**
 * Prisma words: tests of fields as Prisma's where conditions.
 *
 * mongo tests → **prisma words** → prisma rules. Columns are scalars or lists of scalars; what asks for more
 * has no words here.
 *
 * @see prisma.io: Prisma Client API reference, filter conditions and operators
 * @module
 */
import type { Json } from '../types.ts'
import type { Conjunction, FieldTest } from './mongo-tests.ts'

/** A part of Prisma's `where`. */
export type PrismaConditions = { [field: string]: Json }

export function hasPrismaWord(test: FieldTest): boolean {
  return wordFor(test) !== undefined
}

/** All tests of a conjunction; each stands alone, since a column may be asked about twice. */
export function prismaConditionsOf(conjunction: Conjunction): PrismaConditions {
  const conditions = conjunction.map(wordFor).filter((word) => word !== undefined)
  const [only] = conditions
  if (only === undefined) return {}
  return conditions.length === 1 ? only : { AND: conditions }
}

const comparisons = { $lt: 'lt', $lte: 'lte', $gt: 'gt', $gte: 'gte' } as const

function wordFor({ field, operator, operand, kind }: FieldTest): PrismaConditions | undefined {
  if (field === '' || field.includes('.')) return undefined
  const onField = (word: string, value = operand): PrismaConditions => ({ [field]: { [word]: value } })
  switch (operator) {
    case '$eq':
      return onField('equals')
    case '$ne':
      // Lists of scalars have no `not`.
      return { NOT: onField('equals') }
    case '$in':
      return oneOf(field, operand as readonly Json[])
    case '$nin':
      return { NOT: kind === 'list' ? onField('hasSome') : oneOf(field, operand as readonly Json[]) }
    case '$lt':
    case '$lte':
    case '$gt':
    case '$gte':
      return onField(comparisons[operator])
    case '$all':
      return onField('hasEvery')
    case '$size':
      return operand === 0 ? onField('isEmpty', true) : undefined
    case '$startsWith':
      return onField('startsWith')
    case '$endsWith':
      return onField('endsWith')
    case '$without':
      return { NOT: onField('contains') }
    default:
      return undefined
  }
}

/** Truths have no `in`. */
function oneOf(field: string, values: readonly Json[]): PrismaConditions {
  if (!values.some((value) => typeof value === 'boolean')) return { [field]: { in: values } }
  return { OR: values.map((value) => ({ [field]: { equals: value } })) }
}
