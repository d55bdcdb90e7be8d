/**
 * Destinations: where the token goes, and the only places it goes to.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { appendFile, rename, rm, writeFile } from 'node:fs/promises'
import { HfAuthError } from '@hfauth/core'
import type { ExchangedToken } from '@hfauth/node'
import { type CommandIo, UsageError } from '../command.ts'

export interface DestinationOptions {
  readonly out?: string | undefined
  readonly dotenv?: string | undefined
  readonly 'github-env'?: boolean | undefined
  readonly 'github-output'?: boolean | undefined
  readonly stdout?: boolean | undefined
  readonly format?: string | undefined
  readonly variable: string
}

export interface Destination {
  /** For people: `the file \`x\``. */
  readonly name: string
  write(token: ExchangedToken, resource: string): Promise<void>
}

/** @throws UsageError when no destination is named, or one that is not there. */
export function readDestinations(options: DestinationOptions, io: CommandIo): readonly Destination[] {
  const { out, dotenv, 'github-env': githubEnv, 'github-output': githubOutput, stdout, variable } = options
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable))
    throw new UsageError(`\`${variable}\` is not the name of a variable`)
  if (options.format !== undefined && out === undefined && !stdout) {
    throw new UsageError('`--format` goes with `--out` and `--stdout`: the other places have their own')
  }
  const format = readFormat(options.format ?? 'token', variable)
  const destinations: Destination[] = []
  if (out !== undefined) destinations.push(privateFile(out, format))
  if (dotenv !== undefined) destinations.push(privateFile(dotenv, readFormat('env', variable)))
  if (githubEnv) destinations.push(runnerFile('GITHUB_ENV', variable, io))
  if (githubOutput) destinations.push(runnerFile('GITHUB_OUTPUT', 'token', io))
  if (stdout) {
    destinations.push({
      name: 'standard output',
      async write(token, resource) {
        io.text(format(token, resource))
      },
    })
  }
  if (destinations.length > 0) return destinations
  throw new UsageError(
    'say where the token goes: `--out`, `--dotenv`, `--github-env`, `--github-output` or `--stdout`',
  )
}

type Format = (token: ExchangedToken, resource: string) => string

function readFormat(name: string, variable: string): Format {
  switch (name) {
    case 'token':
      return ({ token }) => token
    case 'env':
      return ({ token }) => `${variable}=${token}`
    case 'json':
      return ({ token, expiresAt }, resource) =>
        JSON.stringify({ access_token: token, expires_at: new Date(expiresAt).toISOString(), resource })
    default:
      throw new UsageError(`\`${name}\` is not a format: \`token\`, \`env\` or \`json\``)
  }
}

/** Complete or not there at all, and readable by nobody else, whatever stood there before. */
function privateFile(path: string, format: Format): Destination {
  if (path === '') throw new UsageError('the file has no name')
  return {
    name: `the file \`${path}\``,
    async write(token, resource) {
      const draft = `${path}.${randomUUID()}`
      try {
        await writeFile(draft, `${format(token, resource)}\n`, { mode: 0o600, flag: 'wx' })
        await rename(draft, path)
      } catch (error) {
        await rm(draft, { force: true })
        throw unwritable(`the file \`${path}\``, error)
      }
    },
  }
}

/** A file by which a step tells the runner of variables or outputs. */
function runnerFile(file: 'GITHUB_ENV' | 'GITHUB_OUTPUT', variable: string, io: CommandIo): Destination {
  const path = io.env[file]
  if (path === undefined || path === '')
    throw new UsageError(`\`${file}\` is not set: this is no step of GitHub Actions`)
  return {
    name: `\`${variable}\` in \`${file}\``,
    async write({ token, expiresAt }) {
      const more = file === 'GITHUB_OUTPUT' ? `expires-at=${new Date(expiresAt).toISOString()}\n` : ''
      try {
        await appendFile(path, `${variable}=${token}\n${more}`)
      } catch (error) {
        throw unwritable(`\`${file}\``, error)
      }
    },
  }
}

function unwritable(what: string, cause: unknown): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', `${what} cannot be written`, { cause })
}
