/**
 * `hfauth ci token`: the ID token of this CI job, exchanged for a short-lived Hugging Face token.
 *
 * No stored secret is involved. Both tokens are masked in the log as soon as they are there, and the one from
 * Hugging Face goes where it was asked to go and nowhere else.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { HfAuthError } from '@hfauth/core'
import {
  createTokenExchange,
  detectProvider,
  type ExchangedToken,
  readJobToken,
  requestJobToken,
  runProgram,
  shownClaims,
} from '@hfauth/node'
import { readDestinations } from '../ci/destination.ts'
import { createMask } from '../ci/mask.ts'
import { type Command, type CommandIo, UsageError } from '../command.ts'

export const ciToken: Command = async (args, io) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      resource: { type: 'string' },
      audience: { type: 'string' },
      hub: { type: 'string', default: 'https://huggingface.co' },
      'token-stdin': { type: 'boolean' },
      'token-env': { type: 'string' },
      out: { type: 'string' },
      // Not `--env-file`: Node 20 takes that for itself, wherever it stands.
      dotenv: { type: 'string' },
      'github-env': { type: 'boolean' },
      'github-output': { type: 'boolean' },
      stdout: { type: 'boolean' },
      format: { type: 'string' },
      variable: { type: 'string', default: 'HF_TOKEN' },
    },
  })
  const { resource, hub } = values
  if (resource === undefined || resource === '') {
    throw new UsageError('`--resource` is missing: `ns/name`, `datasets/ns/name`, `spaces/ns/name` …')
  }
  const destinations = readDestinations(values, io)
  const exchange = createTokenExchange({ hubUrl: hub })
  const audience = values.audience ?? new URL(hub).origin
  const mask = createMask(detectProvider(io.env), io, runProgram)

  const idToken = await jobToken(values, audience, io, mask)
  let token: ExchangedToken
  try {
    token = await exchange.forPublisher({ idToken, resource })
  } catch (error) {
    if (error instanceof HfAuthError && error.code === 'HFAUTH_EXCHANGE_REFUSED') {
      showClaims(idToken, resource, io)
    }
    throw error
  }
  await mask(token.token)
  for (const destination of destinations) await destination.write(token, resource)
  const places = destinations.map(({ name }) => name).join(', ')
  io.error(`a token for \`${resource}\` until ${new Date(token.expiresAt).toISOString()} is in ${places}`)
  return 0
}

interface TokenSource {
  readonly 'token-stdin'?: boolean
  readonly 'token-env'?: string
}

/** From where the caller says; otherwise from the provider whose job this is. Masked before anything else. */
async function jobToken(
  { 'token-stdin': fromStdin, 'token-env': variable }: TokenSource,
  audience: string,
  io: CommandIo,
  mask: (token: string) => Promise<void>,
): Promise<string> {
  if (fromStdin && variable !== undefined)
    throw new UsageError('`--token-stdin` and `--token-env` exclude each other')
  let idToken: string
  if (fromStdin) idToken = readJobToken((await io.stdin?.()) ?? '', audience)
  else if (variable === undefined) idToken = await requestJobToken({ audience, env: io.env })
  else {
    const value = io.env[variable]
    if (value === undefined || value === '') {
      throw new HfAuthError('HFAUTH_CI_TOKEN_UNAVAILABLE', `the variable \`${variable}\` is not set`)
    }
    idToken = readJobToken(value, audience)
  }
  await mask(idToken)
  return idToken
}

/** What somebody needs to register the publisher; Hugging Face compares each claim exactly. */
function showClaims(idToken: string, resource: string, io: CommandIo): void {
  io.error(`register a trusted publisher of \`${resource}\` whose claims this job has:`)
  // A value must not pass for a command to GitHub's runner, which looks for this mark anywhere in a line.
  for (const [name, value] of shownClaims(idToken))
    io.error(`  ${name}: ${value.replaceAll('##[', '##\u2060[')}`)
}
