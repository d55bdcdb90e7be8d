/**
 * Nothing that the suite wrote holds a secret: not the runner's output, not the audit trails and logs
 * that tests left under `HFAUTH_TEST_OUTPUT`, not the error reports.
 *
 * Two nets: the shapes that tokens, codes and cookies have, and the very values that the stand-ins for
 * Hugging Face handed out while the suite ran (`secrets-*.txt`, one a line, not read as output).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'

const folder = process.env.HFAUTH_TEST_OUTPUT

const shapes: Readonly<Record<string, RegExp>> = {
  'a JWT': /eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/,
  'a Hugging Face token':
    /\bhf_(?:oauth_|jwt_|oidc_|oauth__refresh_|s3_|app_)?(?=[A-Za-z]*\d)[A-Za-z0-9]{30,}/,
  'a client secret': /oauth_app_secret_\w{20,}/,
  'an authorization header': /\bBearer [\w.~+/-]{20,}/,
  'an authorization code in an address': /[?&]code=[\w-]{16,}/,
  'a session cookie': /\b(?:_session|_interaction|__Host-[\w-]+)=[\w-]{16,}/,
}

function written(): { name: string; text: string }[] {
  if (folder === undefined) throw new Error('HFAUTH_TEST_OUTPUT is not set: run this through `pnpm test`')
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('secrets-') && entry.name !== 'leaks.log')
    .map((entry) => ({ name: entry.name, text: readFileSync(join(entry.parentPath, entry.name), 'utf8') }))
}

function issued(): string[] {
  return readdirSync(folder ?? '')
    .filter((name) => name.startsWith('secrets-'))
    .flatMap((name) => readFileSync(join(folder ?? '', name), 'utf8').split('\n'))
    .filter((secret) => secret.length >= 12)
}

describe('what the suite wrote', () => {
  test('is there to be read: output, audit trails, error reports and the secrets to look for', () => {
    const names = written().map(({ name }) => name)
    expect(names).toContain('suite.log')
    expect(names.some((name) => name.startsWith('audit') && name.endsWith('.jsonl'))).toBe(true)
    expect(names.some((name) => name.startsWith('errors'))).toBe(true)
    expect(issued().length).toBeGreaterThan(50)
  })

  test.each(Object.entries(shapes))('holds nothing shaped like %s', (_, shape) => {
    const found = written().flatMap(({ name, text }) =>
      shape.test(text) ? [`${name}: ${text.search(shape)}`] : [],
    )
    expect(found).toEqual([])
  })

  test('holds only audit events that fit the published schema', () => {
    const file = new URL('../packages/core/dist/audit-event.schema.json', import.meta.url)
    const fits = new Ajv({ strict: true }).compile(JSON.parse(readFileSync(file, 'utf8')))
    const lines = written()
      .filter(({ name }) => name.startsWith('audit') && name.endsWith('.jsonl'))
      .flatMap(({ text }) => text.split('\n').filter((line) => line !== ''))
    const wrong = lines.filter((line) => !fits(JSON.parse(line)))
    expect(lines.length).toBeGreaterThan(100)
    expect(wrong).toEqual([])
  })

  test('holds none of the tokens, codes and cookies that were handed out', () => {
    const secrets = issued()
    const found = written().flatMap(({ name, text }) =>
      secrets.some((secret) => text.includes(secret)) ? [name] : [],
    )
    expect(found).toEqual([])
  })

  test('would be caught: each net holds its own fish', () => {
    const fish = {
      'a JWT': `eyJhbGciOiJ9.eyJzdWIiOiJ9.${'x'.repeat(20)}`,
      'a Hugging Face token': `hf_oauth_${'a1'.repeat(20)}`,
      'a client secret': `oauth_app_secret_${'a1'.repeat(20)}`,
      'an authorization header': `Bearer ${'a1'.repeat(20)}`,
      'an authorization code in an address': `/callback?code=${'a1'.repeat(20)}`,
      'a session cookie': `_session=${'a1'.repeat(20)}`,
    }
    for (const [name, shape] of Object.entries(shapes)) expect(fish[name as keyof typeof fish]).toMatch(shape)
  })
})
