/**
 * Texts that are almost right: cut, doubled, swapped and sprinkled with what breaks readers.
 */
import type { Dice } from './generators.ts'

const splinters = [
  '',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '\n',
  '\t',
  '  ',
  '- ',
  '&a ',
  '*a ',
  '<<: ',
  '!!binary ',
  '!!js/function ',
  '? ',
  '| ',
  '> ',
  '%',
  '%2e%2e',
  '%00',
  '..',
  '/../',
  '**',
  '*',
  '${principal.username}',
  '${env.X}',
  '$ref',
  '$elemMatch',
  '$unknown',
  '$known',
  '__proto__',
  'constructor',
  'null',
  'true',
  '1e999',
  '-0',
  '\u0000',
  '\ud800',
  '\u202e',
  '\u0130',
  '\ufeff',
  'project:',
  'model:',
  'version: 2',
] as const

/** One to four changes to a text. */
export function mutate(text: string, dice: Dice): string {
  let result = text
  for (let i = dice.below(4); i >= 0; i--) {
    const at = dice.below(result.length + 1)
    const length = dice.chance(0.5) ? dice.below(4) : dice.below(40)
    const piece = result.slice(at, at + length)
    const put = dice.of([
      dice.of(splinters),
      '',
      piece + piece,
      [...piece].reverse().join(''),
      result.slice(dice.below(result.length + 1)).slice(0, length),
      String.fromCharCode(dice.below(0x10000)),
    ])
    result = result.slice(0, at) + put + result.slice(at + length)
  }
  return result
}
