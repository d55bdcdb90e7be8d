/**
 * `hfauth secrets status`: names and ages of secrets in files, and when each has to be replaced.
 *
 * Of single ones by NAME=PATH, of all that a proxy's configuration names by `--config`. Places are read as the proxy
 * reads them, so that what is shown is what it goes by. For a timer or a dashboard: the exit code is 1 as soon as one
 * is due, expired or unusable.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { HfAuthError } from '@hfauth/core'
import { createSecretRing, type SecretStatus } from '@hfauth/node'
import { type Command, type CommandIo, UsageError } from '../command.ts'
import { readConfigFile } from '../proxy-config/arguments.ts'
import { secretPlace } from '../proxy-config/secret-place.ts'
import { exchangeRing } from '../proxy-config/upstream-credentials.ts'

const daySeconds = 86_400
/** The longest limit a ring takes. */
const mostDays = 400

export const secretsStatus: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      'warn-days': { type: 'string' },
      'max-days': { type: 'string', default: '90' },
    },
  })
  const maxDays = readDays('--max-days', values['max-days'], mostDays)
  const warnDays =
    values['warn-days'] === undefined ? undefined : readDays('--warn-days', values['warn-days'], maxDays)
  if (positionals.length === 0 && values.config === undefined) {
    throw new UsageError('name at least one secret, NAME=PATH, or a proxy’s configuration, `--config FILE`')
  }
  const named = positionals.map(readName)
  const secrets = [...(values.config === undefined ? [] : await secretsOfProxy(values.config)), ...named]
  const limits = {
    maxAgeSeconds: maxDays * daySeconds,
    ...(warnDays === undefined ? {} : { warnAfterSeconds: warnDays * daySeconds }),
  }
  let isFine = true
  for (const secret of secrets) isFine = (await showStatus(secret, limits, io)) && isFine
  return isFine ? 0 : 1
}

interface NamedSecret {
  readonly name: string
  /** Absent where it is in the environment. */
  readonly path?: string
}

/** Under the names that they have on the proxy's record. */
async function secretsOfProxy(file: string): Promise<readonly NamedSecret[]> {
  const { clients = {}, exchange } = await readConfigFile(file)
  const named = (name: string, path: string | undefined) => ({
    name,
    ...(path === undefined ? {} : { path }),
  })
  return [
    ...Object.entries(clients).map(([alias, { secretFile }]) => named(`client of ${alias}`, secretFile)),
    ...(exchange === undefined ? [] : [named(exchangeRing, exchange.secretFile)]),
  ]
}

async function showStatus({ name, path }: NamedSecret, limits: object, io: CommandIo): Promise<boolean> {
  if (path === undefined) {
    io.out(`${name}: in the environment, where it has no age and needs a restart to be replaced`)
    return true
  }
  try {
    const ring = await createSecretRing({ name, source: await secretPlace(path), ...limits })
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

function readName(text: string): NamedSecret {
  const [, name, path] = /^([\w.-]{1,64})=(.+)$/.exec(text) ?? []
  // The text is not repeated: it may be a secret, written where its file should be.
  if (name === undefined || path === undefined) throw new UsageError('a secret is named as NAME=PATH')
  return { name, path }
}

function readDays(option: string, text: string, max: number): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (days < 1 || days > max)
    throw new UsageError(`\`${option}\` must be a whole number of days from 1 to ${max}`)
  return days
}
