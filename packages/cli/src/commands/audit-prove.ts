/**
 * `hfauth audit prove`: makes a proof for whoever has the log's public key and not the log.
 *
 * Of one event, with the event in it; or that everything under an earlier head is still there under a later one.
 *
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { proveEvent, proveGrowth } from '@hfauth/node'
import { readNamed } from '../audit/read-files.ts'
import { type Command, UsageError } from '../command.ts'

export const auditProve: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      log: { type: 'string' },
      head: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const [id, ...others] = positionals
  const { log, head, from, to, out } = values
  if (log === undefined) throw new UsageError('name the log: `--log DIRECTORY`')
  if (others.length > 0 || (id === undefined) === (from === undefined))
    throw new UsageError('name one event by its id, or the earlier head with `--from`')
  if (id === undefined ? head !== undefined : to !== undefined)
    throw new UsageError('`--head` is for an event, `--to` for growth')
  const proof =
    id === undefined
      ? await proveGrowth(log, {
          from: await readNamed(from ?? ''),
          ...(to === undefined ? {} : { to: await readNamed(to) }),
        })
      : await proveEvent(log, id, head === undefined ? {} : { head: await readNamed(head) })
  if (out === undefined) io.text(proof.trimEnd())
  else await writeFile(out, proof, { mode: 0o600 })
  return 0
}
