/** The contract of `contract.ts` under each framework that runs in this process. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { serve } from '@hono/node-server'
import express from 'express'
import Fastify, { type FastifyRequest } from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { headerList, readBody, sendResponse } from '../../src/adapters/web.ts'
import { protect as protectExpress } from '../../src/express.ts'
import { protect as protectFastify } from '../../src/fastify.ts'
import { protect as protectHono } from '../../src/hono.ts'
import { protect as protectHttp } from '../../src/http.ts'
import { protect as protectKoa } from '../../src/koa.ts'
import { protect as protectWeb } from '../../src/web.ts'
import {
  failure,
  officeQuestion,
  type Parts,
  type RunningApp,
  readQuestion,
  testAdapter,
} from './contract.ts'

async function listen(server: Server): Promise<RunningApp> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const nameIn = (path = '') => path.split('?')[0]?.split('/').at(-1) ?? ''

testAdapter({
  name: 'node:http',
  start({ guard, question, seen, reached, errors }: Parts) {
    const show = protectHttp(guard, (req, res, admission) => {
      reached.push(req.url?.split('?')[0] ?? '')
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify(seen(admission)))
    })
    const echo = protectHttp(guard, (req, res) => pipeline(req, res), {
      question: (req) => question(nameIn(req.url)),
    })
    const office = protectHttp(guard, (_, res, admission) => res.end(JSON.stringify(seen(admission))), {
      question: officeQuestion,
    })
    const fails = protectHttp(
      guard,
      async () => {
        throw new Error(failure)
      },
      { question: readQuestion },
    )
    const route = (path: string) => {
      if (path.startsWith('/predict/')) return echo
      return path === '/office' ? office : path === '/fails' ? fails : show
    }
    const listener: RequestListener = (req, res) => {
      route(req.url ?? '')(req, res).catch((error) => {
        errors.push(error)
        res.statusCode = 500
        res.end()
      })
    }
    return listen(createServer(listener))
  },
})

testAdapter({
  name: 'a Web handler',
  start({ guard, question, seen, reached, errors }: Parts) {
    const show = protectWeb(guard, (request, admission) => {
      reached.push(new URL(request.url).pathname)
      return Response.json(seen(admission))
    })
    const echo = protectWeb(guard, (request) => new Response(request.body), {
      question: ({ url }) => question(nameIn(new URL(url).pathname)),
    })
    const office = protectWeb(guard, (_, admission) => Response.json(seen(admission)), {
      question: officeQuestion,
    })
    const fails = protectWeb(
      guard,
      () => {
        throw new Error(failure)
      },
      { question: readQuestion },
    )
    const route = (path: string) => {
      if (path.startsWith('/predict/')) return echo
      return path === '/office' ? office : path === '/fails' ? fails : show
    }
    const listener: RequestListener = async (req, res) => {
      const target = req.url ?? ''
      const gone = new AbortController()
      res.once('close', () => gone.abort())
      const init: RequestInit & { duplex: 'half' } = {
        method: req.method ?? '',
        headers: new Headers(headerList(req)),
        signal: gone.signal,
        duplex: 'half',
        ...(req.method === 'POST' ? { body: readBody(req) } : {}),
      }
      const request = new Request(`http://a${target}`, init)
      const connection = { remoteAddress: req.socket.remoteAddress, target }
      const response = await route(target)(request, connection).catch((error: unknown) => {
        errors.push(error)
        return new Response(null, { status: 500 })
      })
      await sendResponse(response, res)
    }
    return listen(createServer(listener))
  },
})

testAdapter({
  name: 'Express 5',
  start({ guard, question, seen, reached, errors }: Parts) {
    const app = express()
    const api = express.Router()
    api.get('/models/:name', protectExpress(guard), (req, res) => {
      reached.push(req.originalUrl.split('?')[0] ?? '')
      res.json(seen(req.hfauth))
    })
    app.use('/api', api)
    const asked = protectExpress(guard, (req: express.Request) => question(String(req.params.name)))
    app.post('/predict/:name', asked, (req, res) => pipeline(req, res))
    app.get('/office', protectExpress(guard, officeQuestion), (req, res) => {
      res.json(seen(req.hfauth))
    })
    app.get('/fails', protectExpress(guard, readQuestion), async () => {
      throw new Error(failure)
    })
    app.use(((error, _req, res, _next) => {
      errors.push(error)
      res.sendStatus(500)
    }) satisfies express.ErrorRequestHandler)
    return listen(createServer(app))
  },
})

testAdapter({
  name: 'Fastify 5',
  async start({ guard, question, seen, reached, errors }: Parts) {
    const app = Fastify()
    app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))
    app.get('/api/models/:name', { onRequest: protectFastify(guard) }, async (request) => {
      reached.push(request.url.split('?')[0] ?? '')
      return seen(request.hfauth)
    })
    const asked = protectFastify(guard, (request: FastifyRequest<{ Params: { name: string } }>) =>
      question(request.params.name),
    )
    app.post('/predict/:name', { onRequest: asked }, async (request, reply) => reply.send(request.body))
    app.get('/office', { onRequest: protectFastify(guard, officeQuestion) }, async (request) =>
      seen(request.hfauth),
    )
    app.get('/fails', { onRequest: protectFastify(guard, readQuestion) }, async () => {
      throw new Error(failure)
    })
    app.setErrorHandler((error, _request, reply) => {
      errors.push(error)
      return reply.code(500).send()
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    return { url, close: () => app.close() }
  },
})

testAdapter({
  name: 'Koa 3',
  start({ guard, question, seen, reached, errors }: Parts) {
    const app = new Koa()
    const show = protectKoa(guard)
    const echo = protectKoa(guard, (ctx) => question(nameIn(ctx.originalUrl)))
    const office = protectKoa(guard, officeQuestion)
    const fails = protectKoa(guard, readQuestion)
    app.use((ctx, next) => {
      if (ctx.path.startsWith('/predict/')) return echo(ctx, next)
      return (ctx.path === '/office' ? office : ctx.path === '/fails' ? fails : show)(ctx, next)
    })
    app.use(async (ctx) => {
      if (ctx.path === '/fails') throw new Error(failure)
      if (ctx.path.startsWith('/predict/')) {
        ctx.body = ctx.req
        return
      }
      if (ctx.path !== '/office') reached.push(ctx.path)
      ctx.body = seen(ctx.state.hfauth)
    })
    app.on('error', (error) => errors.push(error))
    return listen(createServer(app.callback()))
  },
})

testAdapter({
  name: 'Hono 4',
  async start({ guard, question, seen, reached, errors }: Parts) {
    const app = new Hono()
    app.get('/api/models/:name', protectHono(guard), (c) => {
      reached.push(c.req.path)
      return c.json(seen(c.get('hfauth')))
    })
    app.post(
      '/predict/:name',
      (c, next) => protectHono(guard, question(c.req.param('name')))(c, next),
      (c) => new Response(c.req.raw.body),
    )
    app.get('/office', protectHono(guard, officeQuestion), (c) => c.json(seen(c.var.hfauth)))
    app.get('/fails', protectHono(guard, readQuestion), () => {
      throw new Error(failure)
    })
    app.onError((error, c) => {
      errors.push(error)
      return c.body(null, 500)
    })
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
    if (!server.listening) await once(server, 'listening')
    return listen(server)
  },
})
