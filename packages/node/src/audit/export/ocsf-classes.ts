/**
 * OCSF classes: which class and activity of the Open Cybersecurity Schema Framework each event is.
 *
 * Application classes know no inference and no step of ours, so those are 99, Other, with a name of their own.
 *
 * @see ocsf-schema 1.9: authentication 3002, entity_management 3004, api_activity 6003, application_error 6008
 * @module
 */
import type { AuditEventType } from '@hfauth/core'
import type { RecordedEvent } from '../types.ts'

export type OcsfClass = 3002 | 3004 | 6003 | 6008

export interface OcsfActivity {
  readonly id: number
  readonly name: string
}

const other = (name: string): OcsfActivity => ({ id: 99, name })
const logon = { id: 1, name: 'Logon' }
const read = { id: 2, name: 'Read' }

type Entry = readonly [OcsfClass, OcsfActivity | ((event: RecordedEvent) => OcsfActivity)]

/** An event type without an entry does not compile. */
const classes: Readonly<Record<AuditEventType, Entry>> = {
  'io.hfauth.decision': [6003, ({ action }) => apiActivity(action)],
  'io.hfauth.token.rejected': [3002, logon],
  'io.hfauth.token.exchanged': [3002, other('Token exchange')],
  'io.hfauth.model.load': [6003, read],
  'io.hfauth.inference.completed': [6003, other('Infer')],
  'io.hfauth.repo.write': [
    6003,
    ({ http }) => (http?.method === 'DELETE' ? { id: 4, name: 'Delete' } : { id: 3, name: 'Update' }),
  ],
  'io.hfauth.stream.started': [6003, other('Stream start')],
  'io.hfauth.stream.ended': [6003, other('Stream end')],
  'io.hfauth.policy.loaded': [3004, { id: 1, name: 'Create' }],
  'io.hfauth.policy.rejected': [3004, other('Policy rejected')],
  'io.hfauth.session.started': [3002, logon],
  'io.hfauth.session.refreshed': [3002, other('Session refresh')],
  'io.hfauth.session.ended': [3002, { id: 2, name: 'Logoff' }],
  'io.hfauth.signin.refused': [3002, logon],
  'io.hfauth.revocation.received': [3004, { id: 11, name: 'Deactivate' }],
  'io.hfauth.stream.silent': [3004, other('Event stream silent')],
  'io.hfauth.stream.resumed': [3004, other('Event stream resumed')],
  'io.hfauth.secret.rotated': [3004, { id: 3, name: 'Update' }],
  'io.hfauth.secret.rejected': [3004, other('Secret rejected')],
  'io.hfauth.secret.aging': [3004, other('Secret aging')],
  'io.hfauth.secret.fallback': [3004, other('Secret fallback')],
  'io.hfauth.audit.gap': [6008, other('Audit gap')],
}

export function ocsfClassOf(event: RecordedEvent): { classUid: OcsfClass; activity: OcsfActivity } {
  const [classUid, activity] = classes[event.type]
  return { classUid, activity: typeof activity === 'function' ? activity(event) : activity }
}

function apiActivity(action: string | undefined): OcsfActivity {
  switch (action) {
    case 'create':
      return { id: 1, name: 'Create' }
    case 'read':
    case 'list':
      return read
    case 'write':
    case 'update':
      return { id: 3, name: 'Update' }
    case 'delete':
      return { id: 4, name: 'Delete' }
    default:
      return other(action ?? 'Unknown')
  }
}
