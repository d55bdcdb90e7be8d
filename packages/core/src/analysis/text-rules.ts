/**
 * Text rules: what literals on one variable ask of a text there, as machines wherever they can be.
 *
 * @module
 */
import { isHubType } from '../hub/actions.ts'
import { doubleStar, type GlobPart, parseGlob } from '../internal/glob.ts'
import type { Pattern } from '../policy/pattern.ts'
import type { Json } from '../types.ts'
import { isAsWanted, type NameAsked } from './formula.ts'
import { type Assigned, fillIn, type Literal, placeholderPath, type Setting, valueAt } from './literals.ts'
import {
  after,
  anyOf,
  exactly,
  globMachine,
  idFold,
  type Machine,
  named,
  ofName,
  ofOwner,
  ordered,
  patternMachine,
  type Rule,
} from './machines.ts'
import { placeOf, type View } from './sources.ts'

export type TextRule =
  | Rule
  /** No text will do. */
  | 'never'
  | 'always'
  /** An address or a time: one of few, which the literals' own points give. */
  | 'structured'
  /** More than a machine can tell: a text has to be tried. */
  | 'tried'

/** What a variable's text must be, up to case, as far as its other literals show. */
export type Pinned = (variable: string) => readonly string[] | undefined

/** Never asks more than the literal does, so that no text means that there is none. */
export function textRule(literal: Literal, setting: Setting, assigned: Assigned, pinned: Pinned): TextRule {
  const { id, test, view } = literal
  if (id !== undefined) return idRule(id.pattern, id.wanted, setting, assigned, pinned)
  if (test === undefined) return 'never'
  const told = view.read('x')
  // To such a view every text is as good as none.
  if (told === undefined) return isAsWanted(unknownOrMissing(literal), test.want) ? 'always' : 'never'
  if (view.name === 'scopes' || view.name === 'factors' || view.name === 'texts') return 'tried'
  const { of, want, isReversed } = test
  if (of.kind === 'element') return ofUnknown(want)
  const positive = want === 'true' || want === 'not false'
  if (of.kind === 'name') return nameRule(of, view, positive)
  const { operator, operand } = of
  if (operator === '$exists')
    return isAsWanted('literal' in operand && operand.literal === true, want) ? 'always' : 'never'
  if (isReversed) return 'tried'
  const found =
    'literal' in operand
      ? { value: operand.literal }
      : valueAt(placeOf(operand.ref, setting.asker, setting.type), assigned)
  if (found === undefined) {
    const names =
      'ref' in operand && operator === '$eq' && positive
        ? pinnedFact(operand.ref, setting, pinned)
        : undefined
    return names === undefined ? 'tried' : seen(anyOf(names.map(named)), view, true)
  }
  const value: Json | undefined = found.value
  if (value === undefined || value === null) return ofUnknown(want)
  switch (operator) {
    case '$eq':
    case '$in':
      return ofTexts(value, view, positive, operator === '$in', want)
    case '$ne':
    case '$nin':
      return ofTexts(value, view, !positive, operator === '$nin', want)
    case '$lt':
      return typeof value === 'string' ? seen(ordered(value, ['less']), view, positive) : ofUnknown(want)
    case '$lte':
      return typeof value === 'string'
        ? seen(ordered(value, ['less', 'equal']), view, positive)
        : ofUnknown(want)
    case '$gt':
      return typeof value === 'string' ? seen(ordered(value, ['greater']), view, positive) : ofUnknown(want)
    case '$gte':
      return typeof value === 'string'
        ? seen(ordered(value, ['greater', 'equal']), view, positive)
        : ofUnknown(want)
    case '$glob':
      return typeof value === 'string' ? seen(patternMachine(value), view, positive) : ofUnknown(want)
    case '$cidr':
    case '$before':
    case '$after':
      return want === 'true' || want === 'false' ? 'structured' : 'tried'
    default:
      return ofUnknown(want)
  }
}

function unknownOrMissing({ test }: Literal): boolean | undefined {
  if (test?.of.kind !== 'test' || test.of.operator !== '$exists') return undefined
  return 'literal' in test.of.operand && test.of.operand.literal !== true
}

function ofUnknown(want: NonNullable<Literal['test']>['want']): TextRule {
  return isAsWanted(undefined, want) ? 'always' : 'never'
}

function ofTexts(
  value: Json,
  view: View,
  wanted: boolean,
  isList: boolean,
  want: NonNullable<Literal['test']>['want'],
): TextRule {
  if (isList && !Array.isArray(value)) return ofUnknown(want)
  const list: readonly Json[] = isList ? (value as readonly Json[]) : [value]
  return seen(anyOf(list.filter((item) => typeof item === 'string').map(exactly)), view, wanted)
}

function nameRule({ name }: NameAsked, view: View, wanted: boolean): TextRule {
  return seen(named(name), view, wanted)
}

function seen(machine: Machine, view: View, wanted: boolean): Rule {
  switch (view.name) {
    case 'owner':
      return { machine: ofOwner(machine), wanted }
    case 'name':
      return { machine: ofName(machine), wanted }
    case 'subject':
      return { machine: after(view.prefix ?? '', machine), wanted }
    default:
      return { machine, wanted }
  }
}

function idRule(
  pattern: Pattern,
  wanted: boolean,
  setting: Setting,
  assigned: Assigned,
  pinned: Pinned,
): TextRule {
  const glob = fillIn(pattern, setting, assigned)
  if (glob === null) return wanted ? 'never' : 'always'
  if (glob !== undefined) return { machine: patternMachine(glob), wanted }
  const widened = anyOf(widen(pattern, setting, pinned))
  if (wanted) return { machine: widened, wanted }
  // Outside of more than the pattern would be too much to ask, unless it is the pattern exactly.
  const [only, ...others] = pattern.pieces.flatMap((piece) =>
    'placeholder' in piece ? piece.placeholder : [],
  )
  const values = only === undefined ? undefined : pinnedFact(placeholderPath(only), setting, pinned)
  const isExact = isHubType(setting.type) && others.length === 0 && values?.length === 1 && isPlain(values)
  return isExact ? { machine: widened, wanted } : 'always'
}

function pinnedFact(
  path: Parameters<typeof placeOf>[0],
  { asker, type }: Setting,
  pinned: Pinned,
): readonly string[] | undefined {
  const place = placeOf(path, asker, type)
  if ('constant' in place) return undefined
  const [source] = place.sources
  if (source === undefined || place.sources.length > 1 || source.view.name !== 'text') return undefined
  if (place.verified !== undefined) return undefined
  return pinned(source.variable)
}

/** What an id of this issuer begins with, whoever it is. */
function prefixOf(path: Parameters<typeof placeOf>[0], { asker, type }: Setting): string | undefined {
  const place = placeOf(path, asker, type)
  return 'sources' in place ? place.sources[0]?.view.prefix : undefined
}

const plainValue = /^[a-z0-9_-][a-z0-9._-]*$/i

function isPlain(values: readonly string[]): boolean {
  return values.every((value) => plainValue.test(value))
}

/** Ends in a character that no mark composes with. */
const firm = /(?:^|[/_.:|0-9*-])$/
/** Characters whose lower case depends on nothing around them. */
const others = /[^\u0000-\u012f\u0131-\u024f]+/g

/** At least what the pattern matches while its placeholders are open, whatever the case. */
function widen({ pieces }: Pattern, setting: Setting, pinned: Pinned): Machine[] {
  let globs: GlobPart[][] = [[]]
  for (const piece of pieces) {
    let parts: GlobPart[][] = [[doubleStar]]
    if ('text' in piece) {
      const text = piece.text.replaceAll(others, '**').toLowerCase()
      parts = [[...parseGlob(firm.test(text) ? text : `${text.slice(0, -1)}**`)]]
    } else {
      const path = placeholderPath(piece.placeholder)
      const values = pinnedFact(path, setting, pinned)
      const prefix = prefixOf(path, setting)
      if (prefix !== undefined) parts = [[prefix.toLowerCase(), doubleStar]]
      if (values !== undefined && isPlain(values)) parts = values.map((value) => [value.toLowerCase()])
    }
    globs = globs.flatMap((glob) => parts.map((more) => [...glob, ...more]))
  }
  return globs.map((glob) => globMachine(glob, idFold))
}
