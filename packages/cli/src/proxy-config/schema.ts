/**
 * The shape of a proxy's configuration file, as JSON Schema: what is checked here and what editors complete by.
 *
 * Data. `hfauth proxy --schema` prints it.
 *
 * @module
 */

const text = (description: string) => ({ type: 'string', minLength: 1, description })
const texts = (description: string) => ({
  type: 'array',
  items: { type: 'string', minLength: 1 },
  description,
})
const number = (description: string, minimum: number, maximum: number) => ({
  type: 'number',
  minimum,
  maximum,
  description,
})
const oneOf = (description: string, ...values: readonly string[]) => ({ enum: values, description })
const strict = <const P extends object>(properties: P, required: readonly (keyof P & string)[] = []) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  ...(required.length === 0 ? {} : { required }),
})

const secretFile = 'File or directory with its secret, read again as it changes. Default the variable'

const limitRule = strict(
  {
    name: {
      type: 'string',
      pattern: '^[a-z0-9][a-z0-9-]{0,63}$',
      description: 'For people, records and headers.',
    },
    per: oneOf('Who shares it.', 'principal', 'organisation', 'address'),
    unit: oneOf('What is counted. Default requests.', 'requests', 'tokens'),
    untoldTokens: number('What an answer counts that does not say. Default 1000.', 0, 1_000_000),
    limit: number('Units in a window.', 1, 1_000_000_000),
    windowSeconds: number('Length of the window, up to 31 days.', 1, 2_678_400),
    burst: number('How many may come at once. Default the limit.', 1, 1_000_000_000),
    costs: {
      type: 'object',
      additionalProperties: { type: 'number', minimum: 0 },
      description: 'What a request costs, by action; others cost nothing. Default 1 for every action.',
    },
  },
  ['name', 'per', 'limit', 'windowSeconds'],
)

const address = {
  description:
    'must be `hub`, `router`, `endpoints` or `viewer`, or an endpoint or a Space with the `url` where it is deployed',
  anyOf: [
    { enum: ['hub', 'router', 'endpoints', 'viewer'] },
    strict({ endpoint: text('Its name in the policy, `ns/name`.'), url: text('Origin.') }, [
      'endpoint',
      'url',
    ]),
    strict({ space: text('Its name in the policy, `ns/name`.'), url: text('Origin.') }, ['space', 'url']),
  ],
}

const transmitter = {
  issuer: text('Address of the issuer, as in the policy, whose credentials the events are about.'),
  audience: text('`aud` of the events.'),
  jwksUri: text('Where its keys are. Default those of the issuer’s discovery.'),
  legacy: oneOf('Shapes from before the standards were final.', 'google', 'okta'),
  watch: {
    ...strict({
      streamId: text('`stream_id`, as the transmitter gave it; not for google.'),
      tokenEnv: text(
        'Name of the variable with the token that manages the stream. Default that of the poll.',
      ),
      verificationEndpoint: text(
        'Where a verification is asked for. Default as the transmitter describes itself.',
      ),
      configurationEndpoint: text('Where the stream’s configuration is read. Default likewise.'),
      everySeconds: number('One verification in this time. Default 3600.', 1, 2_147_483),
      answerWithinSeconds: number('How long its event may take. Default 300.', 1, 2_147_483),
    }),
    description: 'Notices that the stream has stopped, and /readyz tells of it.',
  },
}

const streamName = (description: string) => ({
  type: 'string',
  pattern: '^[a-z0-9-]{1,64}$',
  description,
})

const revocations = strict({
  store: oneOf('Where replicas share them. Default memory; redis is at REDIS_URL.', 'memory', 'redis'),
  key: text('Name of the stream in Redis. Default hfauth:revocations.'),
  lifeSeconds: number(
    'How long an entry counts: at least as long as the longest credential lives. Default 7 days.',
    60,
    34_560_000,
  ),
  onUnavailable: oneOf('What happens while Redis is away. Default refuse.', 'refuse', 'continue'),
  doors: strict(
    {
      host: text('Address to listen on. Default 127.0.0.1.'),
      port: { type: 'integer', minimum: 0, maximum: 65_535, description: 'A port of their own.' },
      backChannelLogout: {
        type: 'boolean',
        description: '/logout/back-channel, for the issuers of the policy. Default false.',
      },
      admin: {
        ...strict({ action: text('An action of the policy.'), resource: text('A resource: `org:acme`.') }, [
          'action',
          'resource',
        ]),
        description: '/admin/revocations, for whoever may do this. Default nobody.',
      },
      events: {
        type: 'array',
        items: strict(
          {
            ...transmitter,
            name: streamName('/events/NAME'),
          },
          ['name', 'issuer', 'audience'],
        ),
        description: 'Who sends security events by push.',
      },
    },
    ['port'],
  ),
  polls: {
    type: 'array',
    items: strict(
      {
        ...transmitter,
        name: streamName('Under which /readyz tells of it. Default poll-1 and so on.'),
        endpoint: text('Address of the poll endpoint.'),
        tokenEnv: text('Name of the variable with the token for it.'),
      },
      ['issuer', 'audience', 'endpoint', 'tokenEnv'],
    ),
    description: 'From whom security events are fetched.',
  },
  whenStreamSilent: oneOf(
    'What a watched stream that is silent is to /readyz. Default warn.',
    'warn',
    'unready',
  ),
})

export const proxyConfigSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'hfauth proxy',
  ...strict({
    policy: text('The policy: a file, followed as it changes, or an https address, asked by its ETag.'),
    policyEverySeconds: number('How often the policy is looked at without a hint. Default 60.', 1, 86_400),
    policyTokenEnv: text('Name of the variable with the token for a policy at an https address.'),
    environment: text('The environment of the policy.'),
    audit: text('The file that every decision goes to, or with `auditKey` the directory.'),
    auditKey: text('File with the key that signs the audit log; then it is written in segments.'),
    auditWrites: strict({
      durability: oneOf(
        'Which events are on record before what they tell of: all of them, or those with an effect. Default by-event.',
        'by-event',
        'strict',
      ),
      lossPolicy: oneOf(
        'What happens to requests while nothing can be put on record. Default strict: they are refused.',
        'strict',
        'available',
      ),
      timeoutMs: number('Longest wait of a request for its event to be on record. Default 250.', 1, 60_000),
      flushMs: number('How long events for which nobody waits are collected. Default 20.', 1, 10_000),
      maxBehindMs: number('How far they may be behind before everybody waits. Default 1000.', 1, 60_000),
    }),
    listen: strict({
      host: text('Address to listen on. Default 127.0.0.1.'),
      port: { type: 'integer', minimum: 0, maximum: 65_535, description: 'Default 8787.' },
      connectionsPerAddress: number(
        'Most connections of one address at a time, those of trustedProxies aside. Default 1000.',
        1,
        10_000_000,
      ),
      tls: strict(
        { cert: text('File with the certificate chain, in PEM.'), key: text('File with its key, in PEM.') },
        ['cert', 'key'],
      ),
    }),
    upstream: strict({
      hub: text('Default https://huggingface.co.'),
      router: text('Default https://router.huggingface.co.'),
      endpoints: text('The management API of Inference Endpoints. Default none.'),
      viewer: text('The dataset viewer. Default none.'),
    }),
    clients: {
      type: 'object',
      propertyNames: { pattern: '^[\\w.-]{1,64}$' },
      additionalProperties: strict(
        {
          id: text('Client id at the issuer.'),
          secretFile: text(`${secretFile} HFAUTH_CLIENT_SECRET_ALIAS.`),
        },
        ['id'],
      ),
      description: 'As whom issuers are asked about tokens that only they can judge, by alias.',
    },
    exchange: {
      ...strict(
        {
          clientId: text('Client id of the app.'),
          secretFile: text(`${secretFile} HF_EXCHANGE_CLIENT_SECRET.`),
        },
        ['clientId'],
      ),
      description:
        'The organisation’s app that may exchange tokens, for people of other providers. Default HF_EXCHANGE_CLIENT_ID.',
    },
    hosts: {
      type: 'object',
      minProperties: 1,
      additionalProperties: address,
      description: 'What each value of Host leads to, with its port. Default all of upstream.',
    },
    publicUrl: text('Origin at which clients reach the proxy.'),
    allowedHosts: texts('Values of Host to answer to. Default all.'),
    trustedProxies: texts('Whose X-Forwarded-For is believed. Default nobody’s.'),
    allowedRedirectHosts: texts('Hosts a client may be redirected to. Default .hf.co.'),
    allowedUrlHosts: texts('Hosts that a question to a model may point it to. Default none.'),
    corsOrigins: texts('Origins whose pages may call the proxy. Default none.'),
    mode: oneOf('Default enforce. A dry run decides and records, and lets through.', 'enforce', 'dry-run'),
    atExpiry: oneOf('What becomes of a stream whose credential expires. Default cut.', 'cut', 'finish'),
    signedUrls: oneOf('What becomes of signed addresses of a file store. Default pass.', 'pass', 'through'),
    billTo: text('Who pays for inference.'),
    requests: strict({
      jsonBodyBytes: number('Longest JSON body that decides. Default 1048576.', 1, 67_108_864),
      bodyTimeoutMs: number('Longest wait for such a body. Default 30000.', 1, 3_600_000),
      upstreamTimeoutMs: number('Longest wait until an answer begins. Default 120000.', 1, 3_600_000),
      idleTimeoutMs: number('Longest silence within an answer or an upload. Default 600000.', 1, 86_400_000),
      requestsPerCaller: number('Most requests of one caller at a time. Default 256.', 1, 100_000),
      longAfterMs: number(
        'What is under way for longer has its beginning on record. Default 10000.',
        1,
        86_400_000,
      ),
    }),
    limits: strict(
      {
        rules: { type: 'array', items: limitRule, minItems: 1 },
        store: oneOf('Where the counts are. Default memory; redis is at REDIS_URL.', 'memory', 'redis'),
        whenUnavailable: oneOf('What happens while Redis is away. Default refuse.', 'refuse', 'allow'),
      },
      ['rules'],
    ),
    revocations,
    drain: strict({
      noticeSeconds: number('How long /readyz says no before the end. Default 0.', 0, 600),
      timeoutSeconds: number('Longest wait for what is under way. Default 30.', 0, 3_600),
    }),
    telemetry: {
      type: 'boolean',
      description: 'Spans and metrics through @opentelemetry/api. Default false.',
    },
  }),
} as const
