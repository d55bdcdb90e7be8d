/**
 * The page's server: static files, the demo's API, and the snapshot that tells the page what to show.
 *
 * Each route is guarded by the policy, and then does its work with Hugging Face's own clients through
 * the proxy, with the caller's credential: what the page hides is refused here, and there again.
 *
 * @module
 */
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Engine } from '@hfauth/core'
import type { Guard, GuardQuestion } from '@hfauth/node'
import { protect } from '@hfauth/node/express'
import { deleteRepo, downloadFile, HubApiError, listModels, modelInfo, uploadFile } from '@huggingface/hub'
import { InferenceClient } from '@huggingface/inference'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { bearerOf, clientAddress } from './request.ts'
import { securityHeaders } from './security-headers.ts'
import type { Trail } from './trail.ts'

export interface ApiOptions {
  readonly engine: Engine
  readonly guard: Guard
  readonly trail: Trail
  readonly organisation: string
  readonly proxyUrl: string
  readonly config: () => { readonly issuer: string }
}

const webRoot = fileURLToPath(new URL('../dist/web/', import.meta.url))

export function createApi(options: ApiOptions): Express {
  const { engine, guard, trail, organisation, proxyUrl: hubUrl } = options
  const app = express()
  app.disable('x-powered-by')
  app.use(securityHeaders(() => options.config().issuer))

  app.get('/config.json', (_, res) => void res.set('cache-control', 'no-store').json(options.config()))
  app.get('/api/access', async (req, res) => {
    const principal = await guard.identify(toGuardRequest(req), clientAddress(req))
    res.set('cache-control', 'no-store').json(engine.for(principal).snapshot())
  })

  app.get('/api/models', protect(guard), async (req, res) => {
    const models = []
    const search = { owner: organisation }
    for await (const model of listModels({
      search,
      hubUrl,
      additionalFields: ['tags'],
      ...credentials(req),
    })) {
      models.push({ id: model.name, private: model.private, gated: model.gated !== false, tags: model.tags })
    }
    res.json(models)
  })
  app.get('/api/audit', protect(guard), async (_req, res) => {
    const gone = new AbortController()
    res.once('close', () => gone.abort())
    res.type('application/x-ndjson').flushHeaders()
    for await (const event of trail.follow(gone.signal)) {
      if (!res.write(`${JSON.stringify(event)}\n`))
        await Promise.race([once(res, 'drain'), once(gone.signal, 'abort')])
    }
    res.end()
  })

  const model = '/api/models/:owner/:name'
  app.get(`${model}/card`, withModel(hubUrl), protect(guard, about('read')), async (req, res) => {
    const card = await downloadFile({ repo: repoOf(req), path: 'README.md', hubUrl, ...credentials(req) })
    if (card === null) res.status(404).json({ title: 'no card', reason: 'not_found' })
    else res.type('text/plain').send(await card.text())
  })
  app.put(
    `${model}/card`,
    withModel(hubUrl),
    protect(guard, about('write')),
    express.json({ limit: '256kb' }),
    async (req, res) => {
      const content = new Blob([String(req.body?.text ?? '')])
      await uploadFile({
        repo: repoOf(req),
        file: { path: 'README.md', content },
        commitTitle: 'Edit the card',
        hubUrl,
        ...credentials(req),
      })
      res.status(204).end()
    },
  )
  app.post(
    `${model}/chat`,
    withModel(hubUrl),
    protect(guard, about('infer')),
    express.json({ limit: '64kb' }),
    async (req, res) => {
      const client = new InferenceClient(bearerOf(req), { endpointUrl: `${hubUrl}/v1` })
      const messages = [{ role: 'user' as const, content: String(req.body?.prompt ?? '') }]
      res.type('text/plain')
      for await (const chunk of client.chatCompletionStream({ model: repoOf(req).name, messages })) {
        res.write(chunk.choices[0]?.delta.content ?? '')
      }
      res.end()
    },
  )
  app.delete(model, withModel(hubUrl), protect(guard, about('delete')), async (req, res) => {
    await deleteRepo({ repo: repoOf(req), hubUrl, accessToken: bearerOf(req) ?? '' })
    res.status(204).end()
  })

  app.get(['/', '/callback'], (_, res) => res.sendFile('index.html', { root: webRoot }))
  app.use(express.static(webRoot, { index: false }))
  app.use(answerFailure)
  return app
}

/** The model's attributes, as far as the caller may know them: conditions in the policy ask for them. */
function withModel(hubUrl: string) {
  return async (req: Request, res: Response, next: NextFunction) => {
    const { name } = repoOf(req)
    const info = await modelInfo({ name, hubUrl, additionalFields: ['tags'], ...credentials(req) }).catch(
      () => undefined,
    )
    res.locals.attributes = info && { private: info.private, gated: info.gated !== false, tags: info.tags }
    req.res = res
    next()
  }
}

function about(action: string) {
  return (req: Request): GuardQuestion => ({
    action,
    resource: { type: 'model', id: repoOf(req).name, attributes: req.res?.locals.attributes ?? {} },
    route: `${req.method} ${req.route.path}`,
  })
}

function repoOf(req: Request): { type: 'model'; name: string } {
  return { type: 'model', name: `${req.params.owner}/${req.params.name}` }
}

function credentials(req: Request): { accessToken?: string } {
  const accessToken = bearerOf(req)
  return accessToken === undefined ? {} : { accessToken }
}

function toGuardRequest(req: Request) {
  const headers = new Headers()
  if (req.headers.authorization !== undefined) headers.set('authorization', req.headers.authorization)
  return { method: req.method, url: `http://demo.invalid${req.originalUrl}`, headers }
}

/** What the proxy or the Hub refused is handed on; everything else is our fault, and its text is not for the page. */
function answerFailure(error: unknown, _: Request, res: Response, next: NextFunction): void {
  if (res.headersSent) {
    next(error)
    return
  }
  const status = error instanceof HubApiError ? error.statusCode : statusOf(error)
  res.status(status).json({
    title: status < 500 ? 'refused by the Hub or the proxy' : 'something failed here',
    reason: `status_${status}`,
  })
}

function statusOf(error: unknown): number {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  return code.startsWith('HFAUTH_TOKEN') ? 401 : 500
}
