import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonError, parseJson, parseLocatedJson } from '../src/json.ts'

describe('strict JSON', () => {
  test('reads what JSON.parse reads, to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'small' }), (value) => {
        const text = JSON.stringify(value)
        let expected: unknown
        try {
          expected = parseJson(text)
        } catch (error) {
          // Refused only for keys that touch prototypes, or for halves of surrogate pairs.
          expect((error as Error).message).toMatch(/unsafe key|surrogate/)
          return
        }
        expect(expected).toEqual(JSON.parse(text))
      }),
    )
  })

  test.each([
    ['a key that stands twice', '{"model":"a","model":"b"}', 'duplicate key `model`'],
    ['the same key behind an escape', '{"mod\\u0065l":"a","model":"b"}', 'duplicate key `model`'],
    ['a duplicate deep inside', '{"a":[{"b":1,"b":2}]}', 'duplicate key `b`'],
    ['a key that would change a prototype', '{"__proto__":{}}', 'unsafe key `__proto__`'],
    ['a key that would shadow a constructor', '{"constructor":1}', 'unsafe key `constructor`'],
    ['text after the value', '{} {}', 'text after the end of the value'],
    ['a byte order mark', '\ufeff{}', 'expected a JSON value'],
    ['a comment', '{/*x*/}', 'expected a key in double quotes'],
    ['single quotes', "{'a':1}", 'expected a key in double quotes'],
    ['a comma at the end', '[1,]', 'expected a JSON value'],
    ['NaN', 'NaN', 'expected a JSON value'],
    ['a leading zero', '01', 'text after the end of the value'],
    ['a number beyond double precision', '1e999', 'number beyond what JSON readers agree on'],
    ['half of a surrogate pair', '"\\ud800"', 'half of a surrogate pair in a string'],
    ['a raw line break in a string', '"a\nb"', 'control character in a string'],
    ['a string without an end', '"abc', 'string without an end'],
    ['an unknown escape', '"\\x41"', 'unknown escape in a string'],
    ['nothing at all', '', 'expected a JSON value'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseJson(text)).toThrow(new JsonError(message, 0).message)
  })

  test('is bounded in depth, size and number of values', () => {
    expect(() => parseJson('['.repeat(100_000))).toThrow('nested deeper than 64 levels')
    expect(() => parseJson(`[${'1,'.repeat(200_000)}1]`)).toThrow('more than 100000 values')
    expect(() => parseJson(`"${'x'.repeat(2_000_000)}"`)).toThrow('text is longer than 1048576 characters')
  })

  test('knows where every key and element stands', () => {
    const { offsetOf } = parseLocatedJson('{ "a": [10, {"b": true}] }')
    expect(offsetOf(['a'])).toBe(2)
    expect(offsetOf(['a', 0])).toBe(8)
    expect(offsetOf(['a', 1, 'b'])).toBe(13)
    expect(offsetOf(['a', 7])).toBeUndefined()
    expect(offsetOf(['a', 0, 'b'])).toBeUndefined()
  })

  test('never changes a prototype', () => {
    expect(() => parseJson('{"a":{"__proto__":{"polluted":true}}}')).toThrow(JsonError)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})
