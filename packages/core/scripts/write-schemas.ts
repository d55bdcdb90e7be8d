/**
 * The last step of the build, run by `tsup`: writes the JSON Schemas beside the bundle.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { auditSchemaText } from './audit-schema.ts'
import { policySchemaText } from './policy-schema.ts'

writeFileSync(new URL('../dist/policy.schema.json', import.meta.url), policySchemaText())
writeFileSync(new URL('../dist/audit-event.schema.json', import.meta.url), auditSchemaText())
