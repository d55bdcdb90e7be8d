/**
 * Inference routes: the chat endpoint of Inference Providers, streaming included.
 *
 * credentials → **inference routes**. OpenAI-shaped answers and errors. Each streamed chunk
 * is written by itself, so a proxy that collects the stream is found out.
 *
 * @module
 */

import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { allowAnyOrigin, type Exchange, HttpRefusal, readJson, sendJson } from '../http/exchange.ts'
import { applyFault, type Fault } from '../http/faults.ts'
import type { RouteHandler, Routes } from '../http/routes.ts'
import { permissionsOf } from '../hub/access.ts'
import type { Credentials } from '../oidc/credentials.ts'
import { membershipsOf } from '../world/find.ts'
import { randomText } from '../world/random-text.ts'
import type { World } from '../world/world.ts'
import { buildAnswer, countTokens, parseMessages } from './answer-text.ts'

export interface InferenceOptions {
  readonly world: World
  readonly credentials: Credentials
  readonly now: () => number
  readonly faults: { router?: Fault }
}

export function addInferenceRoutes(routes: Routes, options: InferenceOptions): void {
  const gate = (handler: RouteHandler): RouteHandler => {
    return async (exchange, params) => {
      if (allowAnyOrigin(exchange) || (await applyFault(exchange, options.faults.router))) return
      await handler(exchange, params)
    }
  }
  const { world } = options
  routes.on(
    'GET,OPTIONS',
    '/v1/models',
    gate((exchange) => {
      sendJson(exchange, 200, {
        object: 'list',
        data: world.inference.models.map((id) => describe(id, options)),
      })
    }),
  )
  routes.on(
    'GET,OPTIONS',
    '/v1/models/:ns/:name',
    gate((exchange, { ns, name }) => {
      const id = `${ns}/${name}`
      if (!world.inference.models.includes(id)) throw unknownModel(id, 404)
      sendJson(exchange, 200, describe(id, options))
    }),
  )
  routes.on(
    'POST,OPTIONS',
    '/v1/chat/completions',
    gate((exchange) => answerChat(exchange, undefined, options)),
  )
  routes.on(
    'POST,OPTIONS',
    '/hf-inference/models/:ns/:name/v1/chat/completions',
    gate((exchange, { ns, name }) => answerChat(exchange, `${ns}/${name}`, options)),
  )
}

async function answerChat(
  exchange: Exchange,
  pathModel: string | undefined,
  options: InferenceOptions,
): Promise<void> {
  const { world, now } = options
  await authorize(exchange, options)
  const body = readJson(exchange)
  const messages = parseMessages(body.messages)
  if (!messages) throw refuse(400, 'messages must be a non-empty list', 'invalid_request_error')
  const [model = ''] = (pathModel ?? String(body.model ?? '')).split(':')
  if (!world.inference.models.includes(model)) throw unknownModel(model, pathModel === undefined ? 400 : 404)

  const pieces = buildAnswer(model, messages)
  const promptTokens = messages.reduce((sum, { content }) => sum + countTokens(content), 0)
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: pieces.length,
    total_tokens: promptTokens + pieces.length,
  }
  const shared = { id: `chatcmpl-${randomText(24)}`, created: Math.floor(now() / 1000), model }
  if (body.stream !== true) {
    const message = { role: 'assistant', content: pieces.join('') }
    return sendJson(exchange, 200, {
      ...shared,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: 'stop', logprobs: null }],
      usage,
    })
  }
  const wantsUsage = (body.stream_options as { include_usage?: unknown } | undefined)?.include_usage === true
  const chunk = (delta: object, finish: string | null) => ({
    ...shared,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
    ...(wantsUsage && { usage: null }),
  })
  const events = [
    ...pieces.map((content, index) =>
      chunk(index === 0 ? { role: 'assistant', content } : { content }, null),
    ),
    chunk({}, 'stop'),
    ...(wantsUsage ? [{ ...shared, object: 'chat.completion.chunk', choices: [], usage }] : []),
  ]
  await streamEvents(exchange, events, world)
}

async function streamEvents({ res }: Exchange, events: readonly object[], world: World): Promise<void> {
  res.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  })
  res.flushHeaders()
  for (const [index, event] of events.entries()) {
    if (index > 0) await wait(world.inference.chunkDelayMs, undefined, { ref: false })
    await world.inference.beforeChunk?.(index)
    // The caller hung up: there is nobody left to write for.
    if (res.destroyed) return
    if (!res.write(`data: ${JSON.stringify(event)}\n\n`))
      await Promise.race([once(res, 'drain'), once(res, 'close')])
  }
  res.end('data: [DONE]\n\n')
}

async function authorize({ req }: Exchange, { credentials, world }: InferenceOptions): Promise<void> {
  const credential = await credentials.identify(req.headers.authorization)
  if (credential.kind === 'none' || credential.kind === 'invalid') {
    throw refuse(401, 'Invalid username or password.', 'authentication_error')
  }
  if (credential.kind === 'publisher' || !permissionsOf(credential).has('inference-api')) {
    throw refuse(403, 'This token does not have permission to call Inference Providers.', 'permission_error')
  }
  const billTo = req.headers['x-hf-bill-to']
  const members = membershipsOf(world, credential.person).map(({ organization }) => organization.name)
  if (typeof billTo === 'string' && !members.includes(billTo)) {
    throw refuse(403, 'You are not a member of the organization to bill.', 'permission_error')
  }
}

function describe(id: string, { now }: InferenceOptions) {
  return {
    id,
    object: 'model',
    created: Math.floor(now() / 1000),
    owned_by: id.split('/')[0],
    providers: [{ provider: 'hf-inference', status: 'live', supports_tools: false }],
  }
}

function refuse(status: number, message: string, type: string, code?: string): HttpRefusal {
  return new HttpRefusal(status, { error: { message, type, param: null, code: code ?? null } })
}

function unknownModel(model: string, status: 400 | 404): HttpRefusal {
  return refuse(
    status,
    `The requested model '${model}' does not exist`,
    'invalid_request_error',
    'model_not_found',
  )
}
