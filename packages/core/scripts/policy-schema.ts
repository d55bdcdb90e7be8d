/**
 * The JSON Schema of the policy language, for editors: made from the shape that the parser checks.
 *
 * `policy/schema.ts` gives keys, types and the comments above the keys; here stands what the parser finds
 * one step later and an editor should find while typing: presets, actions, patterns, times, operators.
 * Draft-07, which YAML language servers know best. It refuses nothing that `parsePolicy` takes.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema'
import ts from 'typescript'
import { hubActions, hubAttributes, idAttributes } from '../src/hub/actions.ts'
import { type Operator, operators } from '../src/policy/condition.ts'
import { principalFacts } from '../src/policy/reader.ts'
import { shapes } from '../src/policy/schema.ts'
import { durationText, timeText } from '../src/policy/time.ts'
import { presets } from '../src/principal/presets/index.ts'

export type { JsonSchema }

const sourceFile = fileURLToPath(new URL('../src/policy/schema.ts', import.meta.url))

/** Builds the schema; the same bytes every time. */
export function buildPolicySchema(): JsonSchema {
  const schema: JsonSchema = toJsonSchema(shapes.policy, {
    target: 'draft-07',
    overrideSchema({ valibotSchema, jsonSchema }) {
      // Every key is a text: saying so of each mapping says nothing.
      const { propertyNames: _, ...rest } = jsonSchema
      const closed = valibotSchema.type === 'object_with_rest' ? { additionalProperties: false } : {}
      return overrides.get(valibotSchema) ?? { ...rest, ...closed }
    },
  })
  describe(schema, policyType())
  const { $schema, ...rest } = schema
  return { $schema, title: 'hfauth policy', ...rest, definitions }
}

const text: JsonSchema = { type: 'string' }
const reference = (name: string): JsonSchema => ({ $ref: `#/definitions/${name}` })
/** In draft-07 nothing beside `$ref` counts; as a member of `allOf` it leaves room for a description. */
const like = (name: string): JsonSchema => ({ allOf: [reference(name)] })

const someResources = ['model:acme/*', 'dataset:acme/**', 'model:${principal.username}/*']
const patternText = String.raw`^(\*\*$|(\*\*|[a-z][a-z0-9-]*):[\s\S])`
const momentText = `${durationText.source.replace('^', '^[+-]?')}|${timeText.source}`

/** Shapes whose texts the parser holds to more than being texts. */
const overrides: ReadonlyMap<unknown, JsonSchema> = new Map<unknown, JsonSchema>([
  [
    shapes.preset,
    {
      anyOf: [
        { type: 'string', enum: [...presets.keys()] },
        { type: 'string', pattern: String.raw`\$\{env\.\w+\}` },
      ],
    },
  ],
  [shapes.duration, { type: 'string', pattern: durationText.source, examples: ['15m', '8h', '30d'] }],
  [shapes.time, { type: 'string', pattern: timeText.source, examples: ['2027-01-31T00:00:00Z'] }],
  [
    shapes.actions,
    { type: 'array', items: { anyOf: [{ type: 'string', enum: [...hubActions, '*'] }, text] } },
  ],
  [
    shapes.patterns,
    {
      type: 'array',
      items: { type: 'string', pattern: patternText, examples: [...someResources, 'project:NAME', '**'] },
    },
  ],
  [
    shapes.members,
    { type: 'array', items: { type: 'string', pattern: patternText, examples: someResources } },
  ],
  [shapes.condition, like('condition')],
  [shapes.requirement, like('requirement')],
  [shapes.claims, like('claims')],
  [shapes.facts, { type: 'object' }],
])

const plain: JsonSchema = { type: ['string', 'number', 'boolean', 'null'] }
const plainList: JsonSchema = { type: 'array', items: plain }
const orReference = (...schemas: JsonSchema[]): JsonSchema => ({
  anyOf: [...schemas, reference('reference')],
})

const ordered = orReference({ type: ['number', 'string'] })
const moment = orReference({
  type: 'string',
  pattern: momentText,
  examples: ['7d', '-15m', '2027-01-31T00:00:00Z'],
})
const equal = orReference(plain, { type: 'array' })

/** Every operator must stand here, or this does not compile. */
const operatorSchemas: Readonly<Record<Operator, JsonSchema>> = {
  $eq: { ...equal, description: 'Equals; on a list, has the value.' },
  $ne: { ...equal, description: 'Does not equal.' },
  $in: { ...orReference(plainList), description: 'Is one of these.' },
  $nin: { ...orReference(plainList), description: 'Is none of these.' },
  $lt: { ...ordered, description: 'Is less than this.' },
  $lte: { ...ordered, description: 'Is this or less.' },
  $gt: { ...ordered, description: 'Is greater than this.' },
  $gte: { ...ordered, description: 'Is this or greater.' },
  $exists: { type: 'boolean', description: 'Was told, or was not. Never unknown.' },
  $all: { ...orReference(plainList), description: 'A list that has all of these.' },
  $size: { type: 'integer', minimum: 0, description: 'A list of this length.' },
  $elemMatch: { ...like('claims'), description: 'A list with an element for which this holds.' },
  $contains: { ...orReference(plain), description: 'A list that has this value.' },
  $glob: {
    type: 'string',
    minLength: 1,
    examples: ['v*', 'refs/tags/**'],
    description: 'Matches this pattern: `*` is any run without `/`, `**` any run.',
  },
  $cidr: {
    anyOf: [text, { type: 'array', items: text }],
    examples: ['192.0.2.0/24', '2001:db8::/32'],
    description: 'An address in this range, or in one of several.',
  },
  $before: { ...moment, description: 'A moment before this time, or before so long from now.' },
  $after: { ...moment, description: 'A moment after this time, or after so long from now.' },
}

/** A condition whose keys begin with one of `roots`; `facts` are the ones to suggest. */
function condition(name: string, pattern: string, facts: Readonly<Record<string, string>>): JsonSchema {
  const parts: JsonSchema = { type: 'array', minItems: 1, items: reference(name) }
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(
        Object.entries(facts).map(([fact, about]) => [fact, { ...like('expectation'), description: about }]),
      ),
      $and: { ...parts, description: 'All of these conditions hold.' },
      $or: { ...parts, description: 'At least one of these conditions holds.' },
      $not: { ...like(name), description: 'This condition does not hold.' },
    },
    patternProperties: { [pattern]: reference('expectation') },
    additionalProperties: false,
  }
}

const aboutPrincipal = Object.fromEntries(
  principalFacts.map((name) => [`principal.${name}`, `\`${name}\` of whoever asks.`]),
)
const aboutResource = Object.fromEntries(
  [...Object.entries(idAttributes), ...Object.entries(hubAttributes)].map(([name, type]) => [
    `resource.${name}`,
    `\`${name}\` of the resource (${type}).`,
  ]),
)
const aboutContext = Object.fromEntries(
  ['ip', 'time', 'userAgent', 'requestId'].map((name) => [`context.${name}`, `\`${name}\` of the request.`]),
)

const definitions: Record<string, JsonSchema> = {
  condition: condition('condition', String.raw`^(resource|principal|context)\.[\s\S]`, {
    ...aboutResource,
    ...aboutPrincipal,
    ...aboutContext,
  }),
  requirement: condition('requirement', String.raw`^principal\.[\s\S]`, aboutPrincipal),
  claims: condition('claims', String.raw`^(?!\$)`, {}),
  expectation: {
    description: 'A plain value to equal, or operators that must all hold.',
    anyOf: [
      plain,
      { type: 'array' },
      reference('reference'),
      {
        type: 'object',
        minProperties: 1,
        properties: {
          ...Object.fromEntries(operators.map((name) => [name, operatorSchemas[name]])),
          $not: { ...like('expectation'), description: 'None of what stands here.' },
        },
        additionalProperties: false,
      },
    ],
  },
  reference: {
    type: 'object',
    properties: {
      $ref: {
        type: 'string',
        pattern: String.raw`^(principal|resource|context)\.[\s\S]`,
        examples: ['principal.username'],
        description: 'Another fact to compare with.',
      },
    },
    required: ['$ref'],
    additionalProperties: false,
  },
}

/** Walks schema and type side by side, and gives every key the comment that stands above it in the source. */
function describe(schema: JsonSchema, type: CheckedType): void {
  if (typeof schema !== 'object') return
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    const property = type.member(key)
    if (typeof member !== 'object' || property === undefined) continue
    if (property.comment !== '') member.description = property.comment
    describe(member, property.type)
  }
  if (typeof schema.additionalProperties === 'object') describe(schema.additionalProperties, type.element())
  if (typeof schema.items === 'object' && !Array.isArray(schema.items)) describe(schema.items, type.element())
  for (const option of schema.anyOf ?? []) if (typeof option === 'object') describe(option, type)
}

interface CheckedType {
  member(key: string): { readonly comment: string; readonly type: CheckedType } | undefined
  /** What a list holds, or a mapping under any name. */
  element(): CheckedType
}

function policyType(): CheckedType {
  const program = ts.createProgram([sourceFile], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    strict: true,
    noEmit: true,
    types: [],
  })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(sourceFile)
  const root = source?.statements.find(
    (statement): statement is ts.TypeAliasDeclaration =>
      ts.isTypeAliasDeclaration(statement) && statement.name.text === 'PolicyDocument',
  )
  if (root === undefined) throw new Error('`PolicyDocument` is not where it was')
  const wrap = (type: ts.Type): CheckedType => {
    const options = type.isUnion() ? type.types : [type]
    return {
      member(key) {
        for (const option of options) {
          const property = option.getProperty(key)
          if (property === undefined) continue
          const comment = ts.displayPartsToString(property.getDocumentationComment(checker))
          return { comment, type: wrap(checker.getTypeOfSymbol(property)) }
        }
        return undefined
      },
      element() {
        for (const option of options) {
          const element = option.getNumberIndexType() ?? option.getStringIndexType()
          // A text has a number index too: its letters.
          if (element !== undefined && (option.flags & ts.TypeFlags.Object) !== 0) return wrap(element)
        }
        return wrap(checker.getNeverType())
      },
    }
  }
  return wrap(checker.getTypeAtLocation(root))
}

/** What stands in `dist/policy.schema.json`. */
export function policySchemaText(): string {
  return `${JSON.stringify(buildPolicySchema(), null, 2)}\n`
}
