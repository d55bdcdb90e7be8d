import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  auditKey,
  checkSignatures,
  publicKeyText,
  readHead,
  readPublicKey,
  signHead,
} from '../../src/audit/segments/signed-note.ts'
import { auditKeyFile } from '../../src/index.ts'

const seed = Buffer.from(Array.from({ length: 32 }, (_, i) => i))
const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
const knownKey = auditKey(
  createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
  'audit.example.test/prod',
)
const root = Buffer.from('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328', 'hex')
const note = signHead({ origin: 'audit.example.test/prod', size: 8, root }, [knownKey])
const freshKey = () => auditKey(generateKeyPairSync('ed25519').privateKey, 'other')
const publicOf = (key: typeof knownKey) => {
  const read = readPublicKey(publicKeyText(key))
  if (read === undefined) throw new Error('a public key could not be read')
  return read
}
const headOf = (text: string) => {
  const head = readHead(text)
  if (head === undefined) throw new Error('a head could not be read')
  return head
}

describe('a signed head', () => {
  test('is the checkpoint that other tools write for the same key and tree', () => {
    expect(note).toBe(
      'audit.example.test/prod\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n' +
        '\u2014 audit.example.test/prod QKGkR0sSJXpX/1b28/nCSmiD84NpIaKxOOUNvpxzMwptHJxdr4wOqzCGc7LoIVbM4Il3xsOjc8fwOjdn7pJG2reeZQ8=\n',
    )
    expect(publicOf(knownKey).id).toBe('40a1a447')
    expect(headOf(note)).toMatchObject({ origin: 'audit.example.test/prod', size: 8, root })
  })

  test('is valid for its key, unknown to another, and invalid when a letter of it changes', () => {
    const keys = [publicOf(knownKey)]
    expect(checkSignatures(headOf(note), keys)).toBe('valid')
    expect(checkSignatures(headOf(note), [publicOf(freshKey())])).toBe('unknown')
    expect(checkSignatures(headOf(note.replace('\n8\n', '\n9\n')), keys)).toBe('invalid')
    expect(checkSignatures(headOf(note.replace('prod\n8', 'prox\n8')), keys)).toBe('invalid')
    expect(checkSignatures(headOf(note.replace('Xcna', 'Ycna')), keys)).toBe('invalid')
    expect(checkSignatures(headOf(note.replace('tHJx', 'tHJy')), keys)).toBe('invalid')
  })

  test('with two signatures is valid for either key, and invalid when one of two known ones is wrong', () => {
    const other = freshKey()
    const both = signHead({ origin: 'o', size: 1, root }, [knownKey, other])
    expect(checkSignatures(headOf(both), [publicOf(other)])).toBe('valid')
    expect(checkSignatures(headOf(both), [publicOf(knownKey)])).toBe('valid')
    const swapped = signHead({ origin: 'o', size: 2, root }, [other])
    const mixed = both.replace(/— other .*\n/, swapped.slice(swapped.indexOf('\u2014')))
    expect(checkSignatures(headOf(mixed), [publicOf(other), publicOf(knownKey)])).toBe('invalid')
  })

  test.each([
    ['nothing', ''],
    ['no signature', 'o\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n'],
    ['a size with a zero before it', note.replace('\n8\n', '\n08\n')],
    ['a negative size', note.replace('\n8\n', '\n-8\n')],
    ['a short root', note.replace('Xcna', '')],
    ['another line', note.replace('\n8\n', '\n8\nmore\n')],
    ['text behind it', `${note}more`],
  ])('is not read from %s', (_, text) => {
    expect(readHead(text)).toBeUndefined()
  })
})

describe('a key', () => {
  test.each([
    '',
    'a+b+c',
    publicKeyText(knownKey).replace('+40', '+41'),
    publicKeyText(knownKey).slice(0, -1),
  ])('is not read from %j', (line) => expect(readPublicKey(line)).toBeUndefined())

  test('of another kind, or with a name that would not fit into a line, is refused', () => {
    const refused = expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' })
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    expect(() => auditKey(publicKey)).toThrow(refused)
    expect(() => auditKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)).toThrow(refused)
    for (const name of ['', 'a b', 'a+b', 'a\nb']) expect(() => auditKey(privateKey, name)).toThrow(refused)
  })

  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hfauth-audit-key-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('is made where there is none, for its owner only, and is the same the next time', async () => {
    const path = join(folder, 'key.pem')
    const [first, second] = await Promise.all([auditKeyFile(path), auditKeyFile(path)])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const third = publicKeyText(await auditKeyFile(path))
    expect([publicKeyText(first), publicKeyText(second)]).toEqual([third, third])
  })

  test('that is not one is refused without a word of what is in the file', async () => {
    const path = join(folder, 'broken.pem')
    writeFileSync(path, 'hunter2 is not a key')
    const error = await auditKeyFile(path).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'HFAUTH_CONFIG_INVALID' })
    expect(String((error as Error).message) + String((error as Error).cause)).not.toContain('hunter2')
    expect(readFileSync(path, 'utf8')).toBe('hunter2 is not a key')
  })
})
