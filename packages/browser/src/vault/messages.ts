/**
 * Messages: what a page and the worker that holds its tokens say to each other.
 *
 * **messages** → worker host, worker client. No message holds a token: calls carry what a page has anyway, answers
 * carry a `Holding` or an API's answer.
 *
 * @module
 */
import { HfAuthError, type HfAuthErrorCode } from '@hfauth/core'
import type { Settings } from '../options.ts'
import { ProviderUnavailableError } from '../provider/network.ts'
import { SignInRefusedError } from '../provider/refusal.ts'
import type { VaultChange } from './holder.ts'

/** What a worker is told once. Everything in it is fixed from then on. */
export type WorkerConfig = Pick<
  Settings,
  'issuer' | 'clientId' | 'apiOrigins' | 'allowLoopbackHttp' | 'clockToleranceSeconds' | 'requestTimeoutMs'
>

export type Call =
  | { readonly id: number; readonly name: 'configure'; readonly input: WorkerConfig }
  | { readonly id: number; readonly name: string; readonly input: unknown }

export type Reply =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: SentError }
  | { readonly change: VaultChange }

export interface SentRequest {
  readonly url: string
  readonly init: RequestInit
}

export interface SentResponse {
  readonly init: ResponseInit
  readonly url: string
  readonly redirected: boolean
  readonly body: ReadableStream<Uint8Array> | Blob | null
}

interface SentError {
  readonly name: string
  readonly message: string
  readonly code?: HfAuthErrorCode
  readonly retryable?: boolean
  readonly answered?: boolean
  readonly retryAfterMs?: number
  readonly reason?: string
}

export function packError(error: unknown): SentError {
  const { name, message, code, retryable, answered, retryAfterMs, reason } = error as SentError
  // Errors that are not ours may quote what they tripped over.
  if (!(error instanceof HfAuthError)) {
    return { name, message: name === 'TypeError' ? 'the request failed' : 'the request was given up' }
  }
  return {
    name,
    message,
    code: code as HfAuthErrorCode,
    retryable: retryable === true,
    ...(error instanceof ProviderUnavailableError && {
      answered: answered === true,
      retryAfterMs: retryAfterMs ?? 0,
    }),
    ...(error instanceof SignInRefusedError && { reason: String(reason) }),
  }
}

export function unpackError(sent: SentError): Error {
  const { name, message, code, retryable = false, answered, retryAfterMs, reason } = sent
  if (code === undefined)
    return name === 'TypeError' ? new TypeError(message) : new DOMException(message, name)
  if (retryAfterMs !== undefined)
    return new ProviderUnavailableError(message, retryable, answered, retryAfterMs)
  if (reason === undefined) return new HfAuthError(code, message, { retryable })
  return Object.assign(new SignInRefusedError(reason, undefined), { message })
}
