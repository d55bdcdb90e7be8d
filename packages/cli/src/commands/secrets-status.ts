/**
 * `hfauth secrets status`: names and ages of secrets in files, and when each has to be replaced.
 *
 * For a timer or a dashboard: the exit code is 1 as soon as one is due, expired or unusable.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { HfAuthError } from '@hfauth/core'
import { createSecretRing, type SecretStatus, secretFile } from '@hfauth/node'
import { type Command, type CommandIo, UsageError } from '../command.ts'

const daySeconds = 86_400
/** The longest limit a ring takes. */
const mostDays = 400

export const secretsStatus: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { 'warn-days': { type: 'string' }, 'max-days': { type: 'string', default: '90' } },
  })
  const maxDays = readDays('--max-days', values['max-days'], mostDays)
  const warnDays =
    values['warn-days'] === undefined ? undefined : readDays('--warn-days', values['warn-days'], maxDays)
  if (positionals.length === 0) throw new UsageError('name at least one secret: NAME=FILE')
  const secrets = positionals.map(readName)
  const limits = {
    maxAgeSeconds: maxDays * daySeconds,
    ...(warnDays === undefined ? {} : { warnAfterSeconds: warnDays * daySeconds }),
  }
  let isFine = true
  for (const { name, file } of secrets) isFine = (await showStatus(name, file, limits, io)) && isFine
  return isFine ? 0 : 1
}

async function showStatus(name: string, file: string, limits: object, io: CommandIo): Promise<boolean> {
  try {
    const ring = await createSecretRing({ name, source: secretFile(file), ...limits })
    const status = ring.status()
    ring.close()
    io.out(lineOf(status))
    return status.age === 'fresh'
  } catch (error) {
    if (!(error instanceof HfAuthError)) throw error
    io.error(`${name}: unusable: ${error.message} (${error.code})`)
    return false
  }
}

function lineOf({ name, age, id, ageSeconds, rotateBefore, previous }: SecretStatus): string {
  const days = Math.floor(ageSeconds / daySeconds)
  const before = `replace before ${dateOf(rotateBefore)}`
  const overlap = previous === undefined ? '' : `, previous ${previous.id} until ${dateOf(previous.until)}`
  return `${name}: ${age}, ${days} ${days === 1 ? 'day' : 'days'} old, ${before}, version ${id}${overlap}`
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 16).concat('Z')
}

function readName(text: string): { name: string; file: string } {
  const [, name, file] = /^([\w.-]{1,64})=(.+)$/.exec(text) ?? []
  // The text is not repeated: it may be a secret, written where its file should be.
  if (name === undefined || file === undefined) throw new UsageError('a secret is named as NAME=FILE')
  return { name, file }
}

function readDays(option: string, text: string, max: number): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (days < 1 || days > max)
    throw new UsageError(`\`${option}\` must be a whole number of days from 1 to ${max}`)
  return days
}
