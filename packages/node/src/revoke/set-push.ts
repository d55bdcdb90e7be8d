/**
 * SET push: the endpoint that a transmitter pushes security events to.
 *
 * POST → **set push** → event receiver. Acknowledged only when it is in force, shared and on record.
 *
 * @see RFC 8935 §2
 * @module
 */
import { createEventReceiver, type EventReceiverOptions } from './event-receiver.ts'
import { answer, type Door, hasType, isRetryable, readBody, tryLater } from './http.ts'
import { maxNoticeBytes, NoticeError } from './signed-notice.ts'

export interface SetPushOptions extends EventReceiverOptions {
  /**
   * What the transmitter was told to send as `Authorization`; a secret ring takes the new and the previous
   * value. Default nothing: the signature alone counts.
   */
  readonly authorization?: { matches(text: string): boolean }
}

/** Makes the endpoint of one stream. 202 when taken; 400 with `err` when not; 503 when it should come again. */
export function createSetPush(options: SetPushOptions): Door {
  const { authorization } = options
  const receiver = createEventReceiver(options)

  async function receive(request: Request): Promise<void> {
    if (authorization !== undefined && !authorization.matches(request.headers.get('authorization') ?? '')) {
      throw new NoticeError('authentication_failed', 'the transmitter is not authenticated')
    }
    if (!hasType(request, 'application/secevent+jwt')) {
      throw new NoticeError('invalid_request', 'the body is not `application/secevent+jwt`')
    }
    const body = await readBody(request, maxNoticeBytes)
    if (body === undefined) throw new NoticeError('invalid_request', 'the body is too long or not UTF-8')
    await receiver.receive(body, 'set-push')
  }

  return async (request) => {
    if (request.method !== 'POST') return answer(405, undefined, { allow: 'POST' })
    try {
      await receive(request)
      return answer(202)
    } catch (error) {
      if (isRetryable(error)) return tryLater()
      if (!(error instanceof NoticeError)) throw error
      return answer(400, { err: error.fault, description: error.message }, { 'content-language': 'en' })
    }
  }
}
