/**
 * Machines: the sets of texts that patterns, names and orders describe, as automata that are made while they
 * are walked.
 *
 * Whether several of them share a text is a walk through their product, breadth first, so that the text that is
 * found is a shortest one. The product is finite: a walk that ends without a text has proved that there is none.
 *
 * @module
 */
import { foldCase } from '../internal/fold.ts'
import { doubleStar, type GlobPart, parseGlob, star } from '../internal/glob.ts'
import { getOrAdd } from '../internal/maps.ts'
import type { Budget } from './budget.ts'

export interface Machine {
  readonly start: string
  step(state: string, char: string): string
  accepts(state: string): boolean
  /** From here on nothing is accepted any more. */
  isDead(state: string): boolean
  /** Every character that it tells from others. */
  readonly mentions: string
  /** Whether it asks which of two characters is greater. */
  readonly orders: boolean
}

export interface Rule {
  readonly machine: Machine
  readonly wanted: boolean
}

/** How a machine takes characters together that differ in case. */
export interface Fold {
  of(char: string): string
  /** All characters that are taken for `char`. */
  casesOf(char: string): readonly string[]
}

const nameFold: Fold = {
  of: foldCase,
  casesOf: (char) => [char, char.toUpperCase()].filter((each) => foldCase(each) === char),
}
/** As canonical ids have it. */
export const idFold: Fold = { of: (char) => char.toLowerCase(), casesOf }

/** What a glob matches; with `fold`, whatever the case of the text. */
export function globMachine(parts: readonly GlobPart[], fold?: Fold): Machine {
  const items: GlobPart[] = parts.flatMap((part): GlobPart[] =>
    typeof part === 'string' ? [...splitUnits(part)] : [part],
  )
  const text = items.filter((item) => typeof item === 'string').join('')
  /** A wildcard may also stand for nothing. */
  const close = (positions: Iterable<number>): string => {
    const found = new Set(positions)
    for (const at of found) if (typeof items[at] === 'symbol') found.add(at + 1)
    return [...found].sort((a, b) => a - b).join(',')
  }
  return remembering({
    start: close([0]),
    step(state, char) {
      const next: number[] = []
      const compared = fold === undefined ? char : fold.of(char)
      for (const at of positionsIn(state)) {
        const item = items[at]
        if (item === doubleStar || (item === star && char !== '/')) next.push(at)
        else if (item === compared) next.push(at + 1)
      }
      return close(next)
    },
    accepts: (state) => positionsIn(state).includes(items.length),
    isDead: (state) => state === '',
    // To `*` a `/` is unlike all others.
    mentions: `${fold === undefined ? text : [...splitUnits(text)].flatMap(fold.casesOf).join('')}${items.includes(star) ? '/' : ''}`,
    orders: false,
  })
}

export function patternMachine(glob: string): Machine {
  return globMachine(parseGlob(glob))
}

export function exactly(text: string): Machine {
  return globMachine(text === '' ? [] : [text])
}

/** Texts that are `name` but for their case, as bindings compare them. */
export function named(name: string): Machine {
  const folded = foldCase(name)
  return globMachine(folded === '' ? [] : [folded], nameFold)
}

/** Texts that compare with `limit` by code unit in one of the `orders`. */
export function ordered(limit: string, orders: readonly ('less' | 'equal' | 'greater')[]): Machine {
  return {
    start: '0',
    step(state, char) {
      if (state === 'less' || state === 'greater') return state
      const at = Number(state)
      const other = limit[at]
      if (other === undefined || char > other) return 'greater'
      return char < other ? 'less' : String(at + 1)
    },
    accepts(state) {
      const order =
        state === 'less' || state === 'greater' ? state : Number(state) === limit.length ? 'equal' : 'less'
      return orders.includes(order)
    },
    isDead: () => false,
    mentions: limit,
    orders: true,
  }
}

export function anyOf(machines: readonly Machine[]): Machine {
  const states = (state: string) => (machines.length === 0 ? [] : state.split(';'))
  return {
    start: machines.map(({ start }) => start).join(';'),
    step: (state, char) =>
      states(state)
        .map((each, i) => machines[i]?.step(each, char))
        .join(';'),
    accepts: (state) => states(state).some((each, i) => machines[i]?.accepts(each)),
    isDead: (state) => states(state).every((each, i) => machines[i]?.isDead(each)),
    mentions: machines.map(({ mentions }) => mentions).join(''),
    orders: machines.some(({ orders }) => orders),
  }
}

/** Texts that the machine takes once `prefix` stands before them. */
export function after(prefix: string, machine: Machine): Machine {
  let start = machine.start
  for (const char of splitUnits(prefix)) start = machine.step(start, char)
  return { ...machine, start }
}

/** Ids whose owner the machine takes: what stands before the first `/`, or nothing. */
export function ofOwner(machine: Machine): Machine {
  return {
    ...machine,
    start: `before ${machine.start}`,
    step(state, char) {
      const [place, inner] = placed(state)
      if (place === 'behind') return state
      return char === '/' ? `behind ${inner}` : `before ${machine.step(inner, char)}`
    },
    accepts(state) {
      const [place, inner] = placed(state)
      return machine.accepts(place === 'behind' ? inner : machine.start)
    },
    isDead: (state) => state.startsWith('behind') && !machine.accepts(placed(state)[1]),
    mentions: `${machine.mentions}/`,
  }
}

/** Ids whose name the machine takes: what stands behind the first `/`, or all of it. */
export function ofName(machine: Machine): Machine {
  return {
    ...machine,
    start: `before ${machine.start}`,
    step(state, char) {
      const [place, inner] = placed(state)
      if (place === 'before' && char === '/') return `behind ${machine.start}`
      return `${place} ${machine.step(inner, char)}`
    },
    accepts: (state) => machine.accepts(placed(state)[1]),
    isDead: (state) => state.startsWith('behind') && machine.isDead(placed(state)[1]),
    mentions: `${machine.mentions}/`,
  }
}

/** Ids without an empty, `.` or `..` segment. */
export const segments: Machine = {
  start: '',
  step(state, char) {
    if (state === 'dead') return state
    if (char === '/') return state === 'name' ? '' : 'dead'
    return char === '.' && (state === '' || state === '.') ? `${state}.` : 'name'
  },
  accepts: (state) => state === 'name',
  isDead: (state) => state === 'dead',
  mentions: '/.',
  orders: false,
}

export interface Texts {
  /** Shortest first. */
  readonly found: readonly string[]
  /** True when it is proved that there is none. */
  readonly none: boolean
}

/** Up to `count` texts that all rules take, made of characters that `permits` lets through. */
export function findTexts(
  rules: readonly Rule[],
  budget: Budget,
  { count = 1, permits = () => true }: { count?: number; permits?: (char: string) => boolean } = {},
): Texts {
  const alphabet = alphabetOf(rules, permits)
  const found: string[] = []
  const first = rules.map(({ machine }) => machine.start)
  const seen = new Set([first.join('\n')])
  let level: { readonly text: string; readonly states: readonly string[] }[] = [{ text: '', states: first }]
  while (level.length > 0) {
    const next: typeof level = []
    for (const { text, states } of level) {
      if (rules.every(({ machine, wanted }, i) => machine.accepts(states[i] ?? '') === wanted)) {
        found.push(text)
        if (found.length >= count) return { found, none: false }
      }
      for (const char of alphabet) {
        if (!budget.spend()) return { found, none: false }
        const stepped = rules.map(({ machine }, i) => machine.step(states[i] ?? '', char))
        if (rules.some(({ machine, wanted }, i) => wanted && machine.isDead(stepped[i] ?? ''))) continue
        const key = stepped.join('\n')
        if (seen.has(key)) continue
        seen.add(key)
        next.push({ text: text + char, states: stepped })
      }
    }
    level = next
  }
  return { found, none: found.length === 0 }
}

/** One character for each class that no rule looks into: those mentioned, what lies between them where order counts, and one more. */
function alphabetOf(rules: readonly Rule[], permits: (char: string) => boolean): readonly string[] {
  const mentioned = [...new Set(rules.flatMap(({ machine }) => [...splitUnits(machine.mentions)]))].sort()
  const others = new Set<string>()
  const known = new Set(mentioned)
  const fresh = firstWhere(
    (char) => !known.has(char) && permits(char),
    'xyzabcdefghijklmnopqrstuvw0123456789',
  )
  if (fresh !== undefined) others.add(fresh)
  if (rules.some(({ machine }) => machine.orders)) {
    for (const char of ['', ...mentioned]) {
      const from = char === '' ? 0 : char.charCodeAt(0) + 1
      for (let unit = from; unit <= 0xffff && !known.has(String.fromCharCode(unit)); unit++) {
        if (!permits(String.fromCharCode(unit))) continue
        others.add(String.fromCharCode(unit))
        break
      }
    }
  }
  return [...others, ...mentioned.filter(permits)]
}

function firstWhere(holds: (char: string) => boolean, preferred: string): string | undefined {
  for (const char of preferred) if (holds(char)) return char
  for (let unit = 0x20; unit < 0xd800; unit++) {
    if (holds(String.fromCharCode(unit))) return String.fromCharCode(unit)
  }
  return undefined
}

/** Answers each step once. */
function remembering(machine: Machine): Machine {
  const steps = new Map<string, string>()
  return {
    ...machine,
    step(state, char) {
      const key = char + state
      const known = steps.get(key)
      if (known !== undefined) return known
      const next = machine.step(state, char)
      steps.set(key, next)
      return next
    },
  }
}

let byLowerCase: Map<string, string[]> | undefined

/** All characters with this lower case; the Kelvin sign is one for `k`. */
function casesOf(lower: string): readonly string[] {
  if (byLowerCase === undefined) {
    byLowerCase = new Map()
    for (let unit = 0; unit < 0xd800; unit++) {
      const char = String.fromCharCode(unit)
      getOrAdd(byLowerCase, char.toLowerCase(), () => []).push(char)
    }
  }
  return byLowerCase.get(lower) ?? [lower]
}

function positionsIn(state: string): number[] {
  return state === '' ? [] : state.split(',').map(Number)
}

function placed(state: string): [place: string, inner: string] {
  return [state.slice(0, 6), state.slice(7)]
}

/** By UTF-16 code unit, as texts are matched and compared. */
function* splitUnits(text: string): Iterable<string> {
  for (let i = 0; i < text.length; i++) yield text.charAt(i)
}
