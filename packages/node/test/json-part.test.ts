import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJsonObject } from '../src/internal/json-object.ts'
import { readJsonPart } from '../src/token/json-part.ts'

function partOf(json: string | Uint8Array): string {
  return Buffer.from(json).toString('base64url')
}

describe('a part of a token', () => {
  test('is read as its text is, wherever its marks stand', () => {
    const piece = fc.constantFrom('"', '""', '"a"', '1', '11', 'true', '"é":', ',', ' ', '{', '}', ':', 'a')
    const texts = fc.oneof(
      fc.json(),
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      // As short as they can be, so that a mark that is overlooked stands for a member that is.
      fc
        .tuple(
          fc.constantFrom('', 'a', 'ab'),
          fc.constantFrom('1', '11', '""', '"b"'),
          fc.constantFrom('1', '""'),
        )
        .map(([name, first, second]) => `{"${name}":${first},"${name}":${second}}`),
    )
    fc.assert(
      fc.property(texts, (json) => {
        expect(readJsonPart(partOf(json), {})).toEqual(parseJsonObject(json))
      }),
      { numRuns: 5000 },
    )
  })

  test('is read whatever number of marks it has', () => {
    for (const texts of [250, 255, 256, 1019, 1020, 1021, 2500]) {
      for (const before of ['', ' ', '  ', '   ']) {
        const json = `${before}{"a":[${Array(texts).fill('""').join(',')}]}`
        expect(readJsonPart(partOf(json), {})).toEqual({ a: Array(texts).fill('') })
        const twice = `${before}{"a":[${Array(texts).fill('""').join(',')}],"b":1,"b":1}`
        expect(readJsonPart(partOf(twice), {})).toBeUndefined()
      }
    }
  })

  test('has nothing of the one before', () => {
    expect(readJsonPart(partOf('{"a":"a long text","b":"and another"}'), {})).toBeDefined()
    expect(readJsonPart(partOf('{"a":1}'), {})).toEqual({ a: 1 })
    expect(readJsonPart(partOf('{"a":'), {})).toBeUndefined()
  })

  test('is UTF-8, and nothing else', () => {
    expect(readJsonPart(partOf('{"a":"Ω"}'), {})).toEqual({ a: 'Ω' })
    for (const byte of [0x80, 0xc0, 0xff]) {
      const bytes = [...Buffer.from('{"a":"'), byte, ...Buffer.from('"}')]
      expect(readJsonPart(partOf(Uint8Array.from(bytes)), {})).toBeUndefined()
    }
  })

  test('is canonical base64url, and not longer than any token', () => {
    const part = partOf('{"a":"é?>"}')
    expect(readJsonPart(part, {})).toEqual({ a: 'é?>' })
    for (const other of [`${part}=`, `${part} `, ` ${part}`, part.replace('_', '/'), `${part}A`]) {
      expect(readJsonPart(other, {})).toBeUndefined()
    }
    expect(readJsonPart(partOf(`{"a":"${'x'.repeat(12_288)}"}`), {})).toBeUndefined()
  })
})
