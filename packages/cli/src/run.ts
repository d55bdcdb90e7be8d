/**
 * Run: finds the command that the words name and turns what it throws into a line and an exit code.
 *
 * Commands load when they are called, so that checking a policy does not start a server's code.
 *
 * @module
 */
import { formatLocation, HfAuthError, PolicyError } from '@hfauth/core'
import { type Command, type CommandIo, type ExitCode, UsageError } from './command.ts'
import { visible } from './visible.ts'

interface CommandEntry {
  readonly words: readonly string[]
  readonly usage: string
  readonly about: string
  readonly load: () => Promise<Command>
}

export const commands: readonly CommandEntry[] = [
  {
    words: ['policy', 'check'],
    usage: 'hfauth policy check [FILE]',
    about: 'find every fault in a policy',
    load: async () => (await import('./commands/policy-check.ts')).policyCheck,
  },
  {
    words: ['policy', 'test'],
    usage: 'hfauth policy test [FILE]',
    about: 'ask the examples under `tests`',
    load: async () => (await import('./commands/policy-test.ts')).policyTest,
  },
  {
    words: ['policy', 'prove'],
    usage: 'hfauth policy prove [FILE] [--json]',
    about: 'prove the `invariants` over every possible request',
    load: async () => (await import('./commands/policy-prove.ts')).policyProve,
  },
  {
    words: ['policy', 'diff'],
    usage: 'hfauth policy diff BEFORE AFTER [--json]',
    about:
      'say what changes between two versions of a policy, in any order of its parts, and in the scopes to ask for',
    load: async () => (await import('./commands/policy-diff.ts')).policyDiffCommand,
  },
  {
    words: ['policy', 'build'],
    usage: 'hfauth policy build [FILE] [--out FILE] [--check]',
    about: 'write the policy as JSON, checked and with its variables filled in, for what reads no YAML',
    load: async () => (await import('./commands/policy-build.ts')).policyBuild,
  },
  {
    words: ['types'],
    usage: 'hfauth types [FILE] [--out FILE] [--check]',
    about: 'write what the policy can ever allow as TypeScript types',
    load: async () => (await import('./commands/types.ts')).types,
  },
  {
    words: ['scopes'],
    usage: 'hfauth scopes [FILE] [--environment NAME [--role NAME] | --out FILE [--check]]',
    about: 'print or write the smallest scopes that a sign-in has to ask for',
    load: async () => (await import('./commands/scopes.ts')).scopes,
  },
  {
    words: ['explain'],
    usage:
      "hfauth explain --environment NAME (--issuer ALIAS --claims JSON | --anonymous) [--attributes JSON] [--context JSON] [--policy FILE] 'ACTION TYPE:ID'",
    about: 'say what would be decided, and why',
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  {
    words: ['who-can'],
    usage:
      "hfauth who-can --environment NAME [--attributes JSON] [--context JSON] [--policy FILE] [--json] 'ACTION TYPE:ID'",
    about: 'name the bindings through which somebody could be allowed something',
    load: async () => (await import('./commands/who-can.ts')).whoCan,
  },
  {
    words: ['secrets', 'status'],
    usage: 'hfauth secrets status [--config FILE] [--warn-days N] [--max-days N] [NAME=PATH …]',
    about: 'say how old secrets are and when they have to be replaced; never what they are',
    load: async () => (await import('./commands/secrets-status.ts')).secretsStatus,
  },
  {
    words: ['audit', 'query'],
    usage:
      'hfauth audit query loads|activity|denials|unused-grants|first-access (--log PATH | --postgres [--table NAME]) [--from TIME] [--to TIME] [--resource KIND:NS/NAME] [--revision COMMIT] [--actor ID] [--environment NAME] [--policy FILE] [--limit N] [--read-all] [--json | --csv]',
    about: 'ask an audit log who did what; `--postgres` takes the address from DATABASE_URL',
    load: async () => (await import('./commands/audit-query.ts')).auditQuery,
  },
  {
    words: ['audit', 'report'],
    usage:
      'hfauth audit report --from TIME --to TIME (--log PATH [--key FILE …] | --postgres [--table NAME]) [--policy FILE …] [--organisation NAME] [--out FILE] [--json]',
    about: 'make a page for an auditor: access, denials, policy changes, secrets, revocations, gaps',
    load: async () => (await import('./commands/audit-report.ts')).auditReport,
  },
  {
    words: ['audit', 'verify'],
    usage: 'hfauth audit verify DIRECTORY [--key FILE] … [--head FILE] … [--json]',
    about: 'find what was changed, removed, reordered or cut off in an audit log',
    load: async () => (await import('./commands/audit-verify.ts')).auditVerify,
  },
  {
    words: ['audit', 'prove'],
    usage:
      'hfauth audit prove (EVENT-ID --log DIRECTORY [--head FILE] | --from FILE [--to FILE] --log DIRECTORY) [--out FILE]',
    about: 'make a proof that an event is in an audit log, or that the log has only grown since a head',
    load: async () => (await import('./commands/audit-prove.ts')).auditProve,
  },
  {
    words: ['audit', 'verify-proof'],
    usage: 'hfauth audit verify-proof FILE --key FILE … [--head FILE] [--json]',
    about: 'check such a proof with nothing but the public key',
    load: async () => (await import('./commands/audit-verify-proof.ts')).auditVerifyProof,
  },
  {
    words: ['proxy'],
    usage:
      'hfauth proxy ([--config FILE] | --environment NAME (--audit FILE | --audit DIRECTORY --audit-key FILE)) [--policy FILE|URL] [--port N] [--host ADDRESS] [--hub URL] [--router URL] [--endpoints URL] [--viewer URL] [--public-url URL] [--dry-run] [--client ALIAS=ID --client-secret ALIAS=FILE|DIRECTORY] … | hfauth proxy --schema',
    about: 'stand between clients and Hugging Face; set HF_ENDPOINT to it',
    load: async () => (await import('./commands/proxy.ts')).proxy,
  },
  {
    words: ['ci', 'token'],
    usage:
      'hfauth ci token --resource NS/NAME (--out FILE | --stdout | --dotenv FILE | --github-env | --github-output) … [--format token|env|json] [--variable NAME] [--audience URL] [--hub URL] [--token-stdin | --token-env NAME]',
    about: 'exchange the ID token of this CI job for a short-lived Hugging Face token',
    load: async () => (await import('./commands/ci-token.ts')).ciToken,
  },
  {
    words: ['dev-hub'],
    usage: 'hfauth dev-hub [--port N]',
    about: 'run a Hugging Face on this machine',
    load: async () => (await import('./commands/dev-hub.ts')).devHub,
  },
]

/**
 * Runs the command that `args` name.
 *
 * @param to - Where it writes; what others wrote (policies, claims, logs) reaches it as lines that do nothing.
 */
export async function run(args: readonly string[], to: Omit<CommandIo, 'text'>): Promise<ExitCode> {
  const io: CommandIo = {
    ...to,
    out: (line) => to.out(visible(line)),
    error: (line) => to.error(visible(line)),
    text: (text) => to.out(text),
  }
  const entry = commands.find(({ words }) => words.every((word, i) => args[i] === word))
  if (entry === undefined) {
    const asked = args[0] === undefined || args[0] === 'help' || args.includes('--help')
    const print = asked ? io.out : io.error
    print('usage:')
    for (const { usage, about } of commands) {
      print(`  ${usage}`)
      print(`      ${about}`)
    }
    return asked ? 0 : 2
  }
  if (args.includes('--help')) {
    io.out(`usage: ${entry.usage}`)
    io.out(`  ${entry.about}`)
    return 0
  }
  try {
    const command = await entry.load()
    return await command(args.slice(entry.words.length), io)
  } catch (error) {
    if (error instanceof UsageError || isArgumentError(error)) {
      io.error(error.message)
      io.error(`usage: ${entry.usage}`)
      return 2
    }
    if (error instanceof HfAuthError) {
      for (const line of messageLines(error)) io.error(line)
      return 1
    }
    throw error
  }
}

function messageLines(error: HfAuthError): readonly string[] {
  if (!(error instanceof PolicyError)) return [`${error.message} (${error.code})`]
  const { faults, code } = error
  return [
    `policy has ${faults.length} fault${faults.length === 1 ? '' : 's'} (${code})`,
    ...faults.map((fault) => `${formatLocation(fault)} ${fault.message} (${fault.code})`),
  ]
}

/** What `node:util` throws for an option that is not there or lacks its value. */
function isArgumentError(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
