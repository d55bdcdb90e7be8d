/** Cookies as a request brings them: which are ours, and which somebody else has set. */
import { describe, expect, test } from 'vitest'
import { readCookie } from '../src/session/cookies.ts'

const name = '__Host-hfauth'
const headers = (cookie: string) => ({ get: () => cookie })

describe('a cookie', () => {
  test.each([[`${name}=v`], [`other=1; ${name}=v`], [` \t${name} \t=\t v \t;other=1`]])(
    'is read from %j',
    (header) => {
      expect(readCookie(headers(header), name)).toBe('v')
    },
  )

  test.each([
    ['a name that comes twice', `${name}=v; ${name}=v`],
    ['a no-break space before its name, which browsers keep', `\u00a0${name}=v`],
    ['a no-break space after its name', `${name}\u00a0=v`],
    ['a form feed before its name', `\f${name}=v`],
    ['a byte order mark before its name', `\ufeff${name}=v`],
    ['a no-break space after its value', `${name}=v\u00a0`],
    ['no value', `${name}=`],
    ['no equals sign', name],
  ])('with %s is nobody’s', (_, header) => {
    expect(readCookie(headers(header), name)).toBeUndefined()
  })

  test('among blanks without end is read in one pass', () => {
    expect(readCookie(headers(`${' '.repeat(16_000)}${name}=v${'\t'.repeat(16_000)}`), name)).toBe('v')
  })
})
