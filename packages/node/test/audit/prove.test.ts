/** Proofs out of a log: of one event, and that a log has only grown; checked with the public key and nothing else. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readHead, signHead } from '../../src/audit/segments/signed-note.ts'
import {
  auditKey,
  checkEventProof,
  checkGrowthProof,
  type GrowthProof,
  proveEvent,
  proveGrowth,
  publicKeyText,
} from '../../src/index.ts'
import { createFolder, eventsOf, key, readFileLines, writeFileLines, writeLog } from './segment-fixture.ts'

const folder = { path: '', remove: () => {} }
const heads: string[] = []
beforeEach(() => {
  Object.assign(folder, createFolder())
  heads.length = 0
})
afterEach(() => folder.remove())

const keys = publicKeyText(key)
const stranger = auditKey(generateKeyPairSync('ed25519').privateKey)
const write = (segments: number, perSegment: number, headEveryLines = 4, compress = false) =>
  writeLog(
    folder.path,
    { segments, perSegment, headEveryLines },
    { writer: 'w', compress, onHead: (note) => heads.push(note) },
  )
const idOf = async (at: number) => (await eventsOf(folder.path))[at]?.event.id ?? ''
const segmentPath = (number: number) => join(folder.path, `0000000${number}.jsonl`)
/** The log with an event that has another text, and a head over that by whoever has a key. */
const editSegment = (number: number, edit: (lines: string[]) => string[]) =>
  writeFileLines(segmentPath(number), edit(readFileLines(segmentPath(number))))

describe('a proof of one event', () => {
  test('shows every event of a log, under its head, by the public key alone', async () => {
    await write(3, 7)
    const events = await eventsOf(folder.path)
    const proofs = await Promise.all(events.map(({ event }) => proveEvent(folder.path, event.id)))
    rmSync(folder.path, { recursive: true })
    for (const [i, { event, segment, line }] of events.entries()) {
      const result = checkEventProof(proofs[i] ?? '', { keys })
      expect(result).toMatchObject({ ok: true, event, writer: 'w', segment, line })
    }
  })

  test('is one that other tools for transparency logs check', async () => {
    await write(1, 5, 1000)
    const proof = await proveEvent(folder.path, await idOf(3))
    const [form, extra = '', index, ...others] = proof.split('\n')
    expect([form, index]).toEqual(['c2sp.org/tlog-proof@v1', 'index 4'])
    const end = others.indexOf('')
    const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
    // The record is the chain's hash over what the extra data says, and the walk is that of RFC 9162 §2.1.3.2.
    const record = sha256(Buffer.from('hfauth-audit-v1\0'), Buffer.from(extra.slice(6), 'base64'))
    const { size, root } = readHead(others.slice(end + 1).join('\n')) as NonNullable<
      ReturnType<typeof readHead>
    >
    let [fn, sn, r] = [4, size - 1, sha256(Buffer.of(0), record)]
    for (const text of others.slice(0, end)) {
      const p = Buffer.from(text, 'base64')
      if (fn % 2 === 1 || fn === sn) {
        r = sha256(Buffer.of(1), p, r)
        while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1]
      } else r = sha256(Buffer.of(1), r, p)
      ;[fn, sn] = [fn >> 1, sn >> 1]
    }
    expect([sn, r]).toEqual([0, root])
  })

  test('can be asked for under a head that was kept elsewhere', async () => {
    await write(1, 12)
    const [early = ''] = heads
    const result = checkEventProof(await proveEvent(folder.path, await idOf(1), { head: early }), { keys })
    expect(result).toMatchObject({ ok: true, head: { size: readHead(early)?.size } })
    await expect(proveEvent(folder.path, await idOf(9), { head: early })).rejects.toMatchObject({
      code: 'HFAUTH_AUDIT_UNPROVABLE',
    })
  })

  test('is made of compressed segments as well', async () => {
    await write(2, 5, 4, true)
    expect(checkEventProof(await proveEvent(folder.path, await idOf(2)), { keys })).toMatchObject({
      ok: true,
      segment: 1,
    })
  })

  test('shows nothing under another key, or with a letter changed anywhere', async () => {
    await write(1, 9)
    const proof = await proveEvent(folder.path, await idOf(5))
    expect(checkEventProof(proof, { keys: publicKeyText(stranger) })).toEqual({
      ok: false,
      fault: 'signature_unknown',
    })
    const whole = checkEventProof(proof, { keys })
    fc.assert(
      fc.property(fc.nat(proof.length - 2), fc.constantFrom(...'AB01/\n '), (at, letter) => {
        const changed = proof.slice(0, at) + letter + proof.slice(at + 1)
        const result = checkEventProof(changed, { keys })
        // The last characters of base64 have bits that say nothing; then it is still the same proof.
        return !result.ok || changed === proof || JSON.stringify(result) === JSON.stringify(whole)
      }),
      { numRuns: 2_000 },
    )
  })

  test('shows no event but its own', async () => {
    await write(1, 9)
    const [one, other] = [
      await proveEvent(folder.path, await idOf(2)),
      await proveEvent(folder.path, await idOf(6)),
    ]
    const extra = /^extra .+$/m
    const swapped = one.replace(extra, extra.exec(other)?.[0] ?? '')
    expect(checkEventProof(swapped, { keys })).toEqual({ ok: false, fault: 'proof_wrong' })
    expect(checkEventProof('', { keys })).toEqual({ ok: false, fault: 'proof_malformed' })
  })

  test('shows no line that is not an event', async () => {
    await write(1, 3)
    const proof = await proveEvent(folder.path, await idOf(0))
    const [first = ''] = readFileLines(segmentPath(1))
    const body = first.replace(/,"hash":"[^"]+"}$/, '}')
    const extra = Buffer.concat([Buffer.alloc(32), Buffer.from(body)]).toString('base64')
    expect(checkEventProof(proof.replace(/^extra .+$/m, `extra ${extra}`), { keys })).toEqual({
      ok: false,
      fault: 'proof_malformed',
    })
  })

  test('is not made of what is not there, not covered yet, or was changed', async () => {
    await write(1, 6, 1000)
    await expect(proveEvent(folder.path, 'no such id')).rejects.toMatchObject({
      code: 'HFAUTH_AUDIT_UNPROVABLE',
    })
    const id = await idOf(2)
    const lines = readFileLines(segmentPath(1))
    editSegment(1, (all) => all.slice(0, -1))
    await expect(proveEvent(folder.path, id)).rejects.toThrow('no signed head covers this event yet')
    writeFileLines(segmentPath(1), lines.with(5, lines[4] ?? ''))
    await expect(proveEvent(folder.path, id)).rejects.toThrow(
      'the log does not have the lines under this head',
    )
    await expect(proveEvent(folder.path, id, { head: 'x' })).rejects.toThrow('the head cannot be read')
  })
})

describe('a proof of growth', () => {
  test('shows each head under each later one, within a segment and across several', async () => {
    await write(3, 6)
    expect(heads.length).toBeGreaterThan(5)
    for (const [i, from] of heads.entries()) {
      for (const to of heads.slice(i)) {
        const result = checkGrowthProof(await proveGrowth(folder.path, { from, to }), { keys })
        expect(result).toMatchObject({ ok: true, writer: 'w', from: { size: readHead(from)?.size } })
      }
    }
  })

  test('goes to the last head of the log where no other is named', async () => {
    await write(2, 5)
    const [from = ''] = heads
    const proof = JSON.parse(await proveGrowth(folder.path, { from })) as GrowthProof
    expect(proof.to).toBe(heads.at(-1))
  })

  test('is refused with anything in it changed', async () => {
    await write(3, 6)
    const [from = '', , later = ''] = heads
    const proof = JSON.parse(await proveGrowth(folder.path, { from })) as GrowthProof
    const [one, two] = proof.segments
    if (one === undefined || two === undefined) throw new Error('there are two segments behind the first')
    const hash = Buffer.alloc(32, 1).toString('base64')
    const forged = one.start.replace(/"lines":\d+/, '"lines":3')
    const wrong: Record<string, object> = {
      'fewer hashes': { ...proof, hashes: proof.hashes.slice(1) },
      'another hash': { ...proof, hashes: proof.hashes.with(0, hash) },
      'a segment left out': { ...proof, segments: [two] },
      'segments in another order': { ...proof, segments: [two, one] },
      'a segment with another beginning': { ...proof, segments: [{ ...one, start: forged }, two] },
      'a segment with another proof': { ...proof, segments: [{ ...one, hashes: [hash] }, two] },
      'another earlier head': { ...proof, from: later },
      'both heads in the other order': { ...proof, from: proof.to, to: proof.from },
    }
    for (const [what, changed] of Object.entries(wrong)) {
      expect([what, checkGrowthProof(JSON.stringify(changed), { keys })]).toEqual([
        what,
        { ok: false, fault: 'proof_wrong' },
      ])
    }
    for (const text of [
      '',
      '{}',
      '[]',
      'null',
      JSON.stringify({ ...proof, v: 2 }),
      JSON.stringify({ ...proof, hashes: 'x' }),
    ])
      expect(checkGrowthProof(text, { keys })).toEqual({ ok: false, fault: 'proof_malformed' })
  })

  test('needs good signatures on both heads', async () => {
    await write(1, 9)
    const [from = ''] = heads
    const proof = JSON.parse(await proveGrowth(folder.path, { from })) as GrowthProof
    const { origin = '', size = 0, root = Buffer.alloc(32) } = readHead(proof.to) ?? {}
    const bySomebody = signHead({ origin, size, root }, [stranger])
    expect(checkGrowthProof(JSON.stringify({ ...proof, to: bySomebody }), { keys })).toEqual({
      ok: false,
      fault: 'signature_unknown',
    })
    const grown = proof.from.replace(/\n\d+\n/, '\n1\n')
    expect(checkGrowthProof(JSON.stringify({ ...proof, from: grown }), { keys })).toEqual({
      ok: false,
      fault: 'signature_invalid',
    })
  })

  test('is not made of a log that was written again, by somebody who has the key', async () => {
    await write(1, 6)
    const [from = ''] = heads
    rmSync(folder.path, { recursive: true })
    await write(1, 8)
    await expect(proveGrowth(folder.path, { from })).rejects.toThrow(
      'the log does not have the lines under this head',
    )
  })

  test('is not made across a segment that is gone, backwards, or between two logs', async () => {
    await write(3, 5)
    const [from = ''] = heads
    const to = heads.at(-1) ?? ''
    await expect(proveGrowth(folder.path, { from: to, to: from })).rejects.toThrow(
      'comes before the earlier one',
    )
    const { size, root } = readHead(from) as NonNullable<ReturnType<typeof readHead>>
    const other = signHead({ origin: 'hfauth-audit/another/1', size, root }, [key])
    await expect(proveGrowth(folder.path, { from: other })).rejects.toThrow('of two logs')
    rmSync(segmentPath(2))
    await expect(proveGrowth(folder.path, { from })).rejects.toMatchObject({
      code: 'HFAUTH_AUDIT_UNPROVABLE',
    })
  })
})
