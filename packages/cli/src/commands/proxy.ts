/**
 * `hfauth proxy`: stands between clients and Hugging Face, and holds them to the policy.
 *
 * Upstream goes the caller's own Hugging Face token, or for a CI job one exchanged by its ID token. With
 * `HF_EXCHANGE_CLIENT_ID` and `HF_EXCHANGE_CLIENT_SECRET` (an organisation's app that may exchange tokens)
 * also people of other providers get one, by their verified e-mail address.
 *
 * Tokens that only their issuer can judge (GitHub's, Okta's org server, opaque ones) need `--client ALIAS=ID` and
 * its secret, in `--client-secret ALIAS=FILE` or in `HFAUTH_CLIENT_SECRET_ALIAS`.
 *
 * @module
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { createEngine } from '@hfauth/core'
import {
  auditKeyFile,
  createAuditLog,
  createProxy,
  createTokenExchange,
  createVerifier,
  exchangeForMember,
  exchangeForPublisher,
  firstOf,
  forwardCaller,
  jsonLinesSink,
  segmentSink,
} from '@hfauth/node'
import { type Command, UsageError } from '../command.ts'
import { defaultPolicyFile, readPolicyFile } from '../policy-file.ts'
import { readPort } from '../port.ts'
import { readProxyClients } from '../proxy-clients.ts'

export const proxy: Command = async (args, io) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      policy: { type: 'string', default: defaultPolicyFile },
      environment: { type: 'string' },
      audit: { type: 'string' },
      'audit-key': { type: 'string' },
      port: { type: 'string', default: '8787' },
      host: { type: 'string', default: '127.0.0.1' },
      hub: { type: 'string', default: 'https://huggingface.co' },
      router: { type: 'string', default: 'https://router.huggingface.co' },
      'public-url': { type: 'string' },
      client: { type: 'string', multiple: true, default: [] },
      'client-secret': { type: 'string', multiple: true, default: [] },
    },
  })
  const { environment, audit: path, hub } = values
  if (environment === undefined) throw new UsageError('`--environment` is missing')
  if (path === undefined) throw new UsageError('`--audit` is missing: every decision goes on record')
  const port = readPort(values.port)

  const policy = await readPolicyFile(values.policy, io)
  const engine = createEngine(policy, { environment })
  const keyFile = values['audit-key']
  const sink =
    keyFile === undefined
      ? jsonLinesSink({ path })
      : await segmentSink({ directory: path, key: await auditKeyFile(keyFile) })
  const audit = createAuditLog({ sink, environment, service: 'proxy' })
  const { clients, close } = await readProxyClients({
    ids: values.client,
    files: values['client-secret'],
    env: io.env,
    audit,
  })
  const client = exchangeClient(io.env)
  const exchange = createTokenExchange({ hubUrl: hub, ...(client === undefined ? {} : { client }) })
  const running = await createProxy({
    engine,
    verifier: createVerifier({ policy, clients }),
    audit,
    upstream: { hub, router: values.router },
    credentials: firstOf(
      forwardCaller(),
      exchangeForPublisher(exchange),
      ...(client === undefined ? [] : [exchangeForMember(exchange)]),
    ),
    ...(values['public-url'] === undefined ? {} : { publicUrl: values['public-url'] }),
  }).listen({ port, host: values.host })

  io.out(`${policy.reference.name} in ${environment}: set HF_ENDPOINT=${running.url}`)
  if (!io.signal.aborted) await once(io.signal, 'abort')
  await running.close()
  close()
  await audit.close()
  return 0
}

function exchangeClient(
  env: Readonly<Record<string, string | undefined>>,
): { id: string; secret: string } | undefined {
  const id = env.HF_EXCHANGE_CLIENT_ID
  const secret = env.HF_EXCHANGE_CLIENT_SECRET
  if (id === undefined || secret === undefined || id === '' || secret === '') return undefined
  return { id, secret }
}
