/**
 * `hfauth audit report`: a period for an auditor, as one HTML page or as JSON.
 *
 * Reads every segment, whatever an index says, and checks the chain of a log in segments first.
 *
 * @module
 */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { buildAuditReport, renderAuditReport, type VerifyReport, verifySegments } from '@hfauth/node'
import { openSource, readTime, sourceOptions } from '../audit/options.ts'
import { type Command, UsageError } from '../command.ts'
import { readPolicyFile } from '../policy-file.ts'

export const auditReport: Command = async (args, io) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...sourceOptions,
      from: { type: 'string' },
      to: { type: 'string' },
      policy: { type: 'string', multiple: true },
      key: { type: 'string', multiple: true },
      organisation: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  if (values.from === undefined || values.to === undefined)
    throw new UsageError('name the period: `--from 2026-01-01 --to 2026-04-01`; the last day is not in it')
  const from = readTime(values.from, '--from')
  const to = readTime(values.to, '--to')
  if (from >= to) throw new UsageError('`--from` must be before `--to`')
  const policies = await Promise.all((values.policy ?? []).map((file) => readPolicyFile(file, io)))
  const integrity = await checkChain(values.log, values.key)
  const { source, close } = await openSource(values, io, { readAll: true })
  try {
    const { organisation } = values
    const report = await buildAuditReport(source, {
      from,
      to,
      policies,
      ...(organisation === undefined ? {} : { organisation }),
      ...(integrity === undefined ? {} : { integrity }),
    })
    const text = values.json ? JSON.stringify(report, null, 2) : renderAuditReport(report)
    if (values.out === undefined) io.text(text.trimEnd())
    else {
      // It tells who did what: nobody else's to read.
      await writeFile(values.out, text, { mode: 0o600 })
      io.out(`${values.out}: written`)
    }
  } finally {
    await close()
  }
  return integrity?.ok === false ? 1 : 0
}

/** `undefined` for what has no chain: a file of JSON lines, or a table. */
async function checkChain(
  log: string | undefined,
  keyFiles: readonly string[] | undefined,
): Promise<VerifyReport | undefined> {
  const isDirectory =
    log !== undefined &&
    (await stat(log).then(
      (found) => found.isDirectory(),
      () => false,
    ))
  if (!isDirectory) {
    if (keyFiles !== undefined) throw new UsageError('`--key` goes with `--log` and a directory')
    return undefined
  }
  if (keyFiles === undefined) return verifySegments(log)
  const keys = await Promise.all(
    keyFiles.map((file) =>
      readFile(file, 'utf8').catch(() => {
        throw new UsageError(`\`${file}\` cannot be read`)
      }),
    ),
  )
  return verifySegments(log, { keys: keys.join('\n') })
}
