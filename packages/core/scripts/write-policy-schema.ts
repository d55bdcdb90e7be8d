/**
 * The last step of the build, run by `tsup`: writes the JSON Schema beside the bundle.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { policySchemaText } from './policy-schema.ts'

writeFileSync(new URL('../dist/policy.schema.json', import.meta.url), policySchemaText())
