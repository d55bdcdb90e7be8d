/**
 * `hfauth audit query`: answers one question from the audit log, as a table, JSON or CSV.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { type AuditAnswers, type AuditQuestion, queryAudit, toCsv } from '@hfauth/node'
import { openSource, readResource, readTime, sourceOptions } from '../audit/options.ts'
import { tableLines } from '../audit/table.ts'
import { type Command, type CommandIo, UsageError } from '../command.ts'
import { defaultPolicyFile, readPolicyFile } from '../policy-file.ts'

const options = {
  ...sourceOptions,
  from: { type: 'string' },
  to: { type: 'string' },
  environment: { type: 'string' },
  actor: { type: 'string' },
  resource: { type: 'string' },
  revision: { type: 'string' },
  policy: { type: 'string' },
  limit: { type: 'string' },
  'read-all': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  csv: { type: 'boolean', default: false },
} as const

type Values = ReturnType<typeof readValues>['values']

function readValues(args: readonly string[]) {
  return parseArgs({ args: [...args], allowPositionals: true, options })
}

export const auditQuery: Command = async (args, io) => {
  const { values, positionals } = readValues(args)
  if (values.json && values.csv) throw new UsageError('`--json` and `--csv` exclude each other')
  const question = await readQuestion(positionals, values, io)
  const { source, close } = await openSource(values, io, { readAll: values['read-all'] })
  try {
    show(await queryAudit(source, question), values, io)
  } finally {
    await close()
  }
  return 0
}

/** The word that names the question, and what it is about. */
async function readQuestion(
  [ask, ...others]: readonly string[],
  values: Values,
  io: CommandIo,
): Promise<AuditQuestion> {
  if (others.length > 0) throw new UsageError(`\`${others[0]}\` is one word too many`)
  const { actor, revision } = values
  const resource = values.resource === undefined ? undefined : readResource(values.resource)
  const period = {
    ...(values.from === undefined ? {} : { from: readTime(values.from, '--from') }),
    ...(values.to === undefined ? {} : { to: readTime(values.to, '--to') }),
    ...(values.environment === undefined ? {} : { environment: values.environment }),
  }
  const about = { ...(actor === undefined ? {} : { actor }), ...(resource === undefined ? {} : { resource }) }
  const limit = values.limit === undefined ? {} : { limit: readLimit(values.limit) }
  switch (ask) {
    case 'loads':
      if (resource === undefined) throw new UsageError('`loads` needs `--resource model:ns/name`')
      return { ask, resource, ...period, ...limit, ...(revision === undefined ? {} : { revision }) }
    case 'activity':
      if (actor === undefined) throw new UsageError('`activity` needs `--actor ID`')
      return { ask, actor, ...period, ...limit }
    case 'denials':
      return { ask, ...about, ...period }
    case 'unused-grants':
      return { ask, policy: await readPolicyFile(values.policy ?? defaultPolicyFile, io), ...period }
    case 'first-access':
      return { ask, ...about, ...period, ...limit }
    default:
      throw new UsageError('ask for `loads`, `activity`, `denials`, `unused-grants` or `first-access`')
  }
}

function readLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`\`${text}\` is not a number of rows`)
  return Number(text)
}

function show(answer: AuditAnswers[AuditQuestion['ask']], { json, csv }: Values, io: CommandIo): void {
  const { rows, more, gaps } = answer
  if (json) {
    io.text(JSON.stringify(answer, null, 2))
    return
  }
  if (csv) io.text(toCsv(rows).trimEnd())
  else if (rows.length === 0) io.out('nothing on record')
  else for (const line of tableLines(rows)) io.out(line)
  if (more > 0) io.error(`and ${more} more: ask for a shorter period, or with \`--limit\``)
  for (const { time, reason, count } of gaps)
    io.error(`the log has a gap, told at ${time}: ${reason}, ${count ?? 'unknown'} events`)
}
