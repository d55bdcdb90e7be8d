/**
 * `hfauth audit verify-proof`: checks a proof with the public key alone; needs neither the log nor a network.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import {
  checkEventProof,
  checkGrowthProof,
  type EventProofResult,
  type GrowthProofResult,
  type ProofFault,
} from '@hfauth/node'
import { readAllNamed, readNamed } from '../audit/read-files.ts'
import { type Command, type CommandIo, UsageError } from '../command.ts'

const faults: Readonly<Record<ProofFault, string>> = {
  proof_malformed: 'this is not a proof',
  signature_invalid: 'the signature of a head is wrong',
  signature_unknown: 'a head is signed by none of these keys',
  proof_wrong: 'the hashes do not lead to what was signed',
}

export const auditVerifyProof: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      key: { type: 'string', multiple: true, default: [] },
      head: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [file, ...others] = positionals
  if (file === undefined || others.length > 0) throw new UsageError('name one file with a proof')
  if (values.key.length === 0)
    throw new UsageError('`--key FILE` is missing: whose signature is to be believed')
  const proof = withLastBreak(await readNamed(file))
  const keys = (await readAllNamed(values.key)).join('\n')
  const isGrowth = proof.startsWith('{')
  const result = isGrowth ? checkGrowthProof(proof, { keys }) : checkEventProof(proof, { keys })
  const kept = values.head === undefined ? undefined : await readNamed(values.head)
  // A head of their own is what tells whoever checks that nobody shows them another log.
  const isOther = result.ok && kept !== undefined && headText(kept) !== textOf(result)
  if (values.json) io.text(JSON.stringify(isOther ? { ok: false, fault: 'head_other' } : result, null, 2))
  else if (!result.ok) io.error(`${faults[result.fault]} (${result.fault})`)
  else if (isOther) io.error('the proof is about another head than this one (head_other)')
  else show(result, io)
  return result.ok && !isOther ? 0 : 1
}

type Shown = Extract<EventProofResult | GrowthProofResult, { readonly ok: true }>

function show(result: Shown, io: CommandIo): void {
  if ('event' in result) {
    const { event, writer, segment, line, head } = result
    io.out(`event ${event.seq} (${event.type}, ${event.time}) by writer ${writer}`)
    io.out(`line ${line} of segment ${segment}, among the ${head.size} lines that were signed`)
    io.out(JSON.stringify(event))
    return
  }
  const { writer, from, to } = result
  io.out(`writer ${writer}: the ${from.size} lines under ${from.origin}`)
  io.out(`are all there under ${to.origin}, ${to.size} lines`)
}

/** The three lines that a head signs; for growth, those of the earlier one. */
function textOf(result: Shown): string {
  const { origin, size, root } = 'event' in result ? result.head : result.from
  return `${origin}\n${size}\n${root.toString('base64')}\n`
}

function headText(note: string): string {
  return note.slice(0, note.indexOf('\n\n') + 1)
}

/** A terminal or an editor may have taken it. */
function withLastBreak(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
