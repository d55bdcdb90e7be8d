/**
 * JSON Schemas of the parts of OCSF 1.9 that we write: what each class requires, and the type of every attribute.
 *
 * @see ocsf-schema: events/iam/authentication, events/iam/entity_management, events/application/api_activity,
 * events/application/application_error, profiles/security_control, profiles/trace
 * @module
 */
const text = { type: 'string', minLength: 1 } as const
const integer = { type: 'integer' } as const
const count = { type: 'integer', minimum: 0 } as const
const object = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const list = (items: object) => ({ type: 'array', minItems: 1, items })

const product = object({ name: text, version: text, vendor_name: text }, ['vendor_name'])
const metadata = object(
  {
    version: { ...text, pattern: String.raw`^1\.9\.0` },
    uid: text,
    event_code: text,
    sequence: count,
    log_name: text,
    log_version: text,
    correlation_uid: text,
    labels: list(text),
    product,
    profiles: list({ enum: ['security_control', 'trace'] }),
  },
  ['version', 'product'],
)
const user = object({ uid: text, name: text, type_id: { enum: [0, 1, 2, 3, 4, 99] } }, ['uid', 'type_id'])
const policy = object({ uid: text, version: text, name: text, is_applied: { type: 'boolean' } })
const actor = object({
  user,
  idp: object({ name: text }),
  invoked_by: text,
  authorizations: list(object({ decision: { enum: ['allow', 'deny'] }, policy })),
})
const endpoint = { ...object({ ip: text, name: text }), minProperties: 1 }
const service = object({ name: text })

const base = {
  category_uid: integer,
  class_uid: integer,
  activity_id: integer,
  activity_name: text,
  type_uid: integer,
  severity_id: { enum: [1, 2, 3, 4, 5, 6] },
  status_id: { enum: [1, 2] },
  status_code: text,
  time: count,
  duration: count,
  metadata,
  http_request: object({
    uid: text,
    http_method: text,
    body_length: count,
    user_agent: text,
    url: object({ path: text }),
  }),
  http_response: object({ code: integer, body_length: count }, ['code']),
  action_id: { enum: [1, 2] },
  disposition_id: { enum: [1, 2] },
  policy,
  trace: object({ uid: text, span: object({ uid: text }) }),
  unmapped: { type: 'object' },
}
const baseRequired = [
  'activity_id',
  'category_uid',
  'class_uid',
  'metadata',
  'severity_id',
  'time',
  'type_uid',
]

const ofClass = (
  classUid: number,
  activities: readonly number[],
  properties: object,
  required: readonly string[],
) =>
  object(
    {
      ...base,
      ...properties,
      class_uid: { const: classUid },
      category_uid: { const: Math.floor(classUid / 1000) },
      activity_id: { enum: activities },
      type_uid: { enum: activities.map((activity) => classUid * 100 + activity) },
    },
    [...baseRequired, ...required],
  )

/** By `class_uid`. */
export const ocsfSchemas: Readonly<Record<number, object>> = {
  3002: ofClass(3002, [1, 2, 99], { user, service, src_endpoint: endpoint, actor }, ['user', 'service']),
  3004: ofClass(
    3004,
    [1, 2, 3, 4, 10, 11, 99],
    { entity: object({ type: text, uid: text, version: text }, ['type', 'uid']), actor },
    ['entity'],
  ),
  6003: ofClass(
    6003,
    [1, 2, 3, 4, 99],
    {
      actor,
      api: object({ operation: text, service }, ['operation']),
      src_endpoint: endpoint,
      resources: list(object({ type: text, uid: text, name: text, version: text })),
    },
    ['actor', 'api', 'src_endpoint'],
  ),
  6008: ofClass(6008, [1, 2, 99], { message: text, count }, ['message']),
}
