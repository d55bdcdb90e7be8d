/**
 * Refusals: the Hub's error answers.
 *
 * access → **refusals** → hub routes. To anonymous callers the missing, the private and the
 * gated look alike (401); to others the private looks missing (404).
 *
 * @module
 */

import { HttpRefusal } from '../http/exchange.ts'
import type { Credential } from '../oidc/credentials.ts'

export type ErrorCode = 'RepoNotFound' | 'RevisionNotFound' | 'EntryNotFound' | 'GatedRepo'

export function refuse(status: number, message: string, code?: ErrorCode): HttpRefusal {
  return new HttpRefusal(
    status,
    { error: message },
    // A header takes plain ASCII only, and a message may repeat what the caller sent.
    { 'x-error-message': message.replace(/[^ -~]/g, '?'), ...(code && { 'x-error-code': code }) },
  )
}

export function repoNotFound(credential: Credential): HttpRefusal {
  return credential.kind === 'none'
    ? refuse(401, 'Invalid username or password.', 'RepoNotFound')
    : refuse(404, 'Repository not found', 'RepoNotFound')
}

export function gatedRepo(credential: Credential, id: string): HttpRefusal {
  return credential.kind === 'none'
    ? refuse(401, `Access to ${id} is restricted. You must be authenticated to access it.`, 'GatedRepo')
    : refuse(403, `Access to ${id} is restricted and you are not in the authorized list.`, 'GatedRepo')
}

export const revisionNotFound = (revision: string) =>
  refuse(404, `Invalid rev id: ${revision}`, 'RevisionNotFound')

export const entryNotFound = () => refuse(404, 'Entry not found', 'EntryNotFound')

export const invalidCredentials = () => refuse(401, 'Invalid credentials in Authorization header')

export const forbidden = (message: string) => refuse(403, message)
