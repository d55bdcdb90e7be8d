/**
 * Environments: the most that anyone may do there, and how fresh and strong a sign-in must be.
 *
 * @module
 */
import { present } from '../internal/present.ts'
import type { JsonPath } from '../json.ts'
import { readPolicyCondition } from './condition-faults.ts'
import type { Environment } from './policy.ts'
import { checkActions, checkFact, checkName, type PolicyReader } from './reader.ts'
import { parseDuration } from './time.ts'

export function readEnvironments(reader: PolicyReader): Map<string, Environment> {
  const environments = new Map<string, Environment>()
  for (const [name, document] of Object.entries(reader.document.environments)) {
    const path: JsonPath = ['environments', name]
    if (document.actions !== undefined) checkActions(reader, document.actions, [...path, 'actions'])
    for (const [i, alias] of (document.exempt ?? []).entries()) {
      checkName(reader, 'unknown_issuer', alias, reader.document.issuers, [...path, 'exempt', i])
    }
    const maxTokenAgeSeconds =
      document.maxTokenAge === undefined ? undefined : parseDuration(document.maxTokenAge)
    if (document.maxTokenAge !== undefined && maxTokenAgeSeconds === undefined) {
      reader.fault(
        'malformed_duration',
        [...path, 'maxTokenAge'],
        `\`${document.maxTokenAge}\` is not a duration such as \`15m\``,
      )
    }
    const require =
      document.require &&
      readPolicyCondition(
        document.require,
        {
          roots: ['principal'],
          checkFact: (fact) => checkFact(reader, [], fact),
          report: (fault) => reader.fault(fault.code, fault.path, fault.message),
        },
        [...path, 'require'],
      )
    const actions = document.actions?.includes('*')
      ? undefined
      : document.actions && new Set(document.actions)
    environments.set(name, {
      name,
      exempt: new Set(document.exempt ?? []),
      ...present({ actions, maxTokenAgeSeconds, require }),
    })
  }
  return environments
}
