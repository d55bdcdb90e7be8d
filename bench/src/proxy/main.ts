/**
 * The part `proxy`: the proxy with everything on, beside direct access and peers, in one run.
 *
 * Servers share one core, the load comes from this process on another. Contestants take turns, and what is
 * kept is the median over rounds. Then a gigabyte each way, and how long a stream's first event takes.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { median } from '../measure.ts'
import { startIssuer } from '../verify/issuer.ts'
import { claimsOf, createSigner, tokenOf } from '../verify/tokens.ts'
import { type Running, startApache, startNginx, startNode, stopAll } from './processes.ts'
import type { Settings } from './servers.ts'

const rounds = Number(process.env.ROUNDS ?? 5)
const seconds = 2
const folder = mkdtempSync(join(tmpdir(), 'hfauth-bench-'))
const signer = createSigner('RS256')
const issuer = await startIssuer([signer.jwk])
const headers = { authorization: `Bearer ${tokenOf(signer, claimsOf(issuer.url))}` }
const path = '/api/models/acme/vision'

try {
  const nowhere: Settings = { folder, issuer: issuer.url, upstream: '' }
  const direct = await startNode('upstream', nowhere)
  const settings = { ...nowhere, upstream: direct.url }
  const bare = await startNode('fastify', settings)
  const hfauth = await startNode('hfauth', settings)
  const nginx = await startNginx(settings, await startNode('verifier', settings))
  const apache = await startApache(
    settings,
    signer.publicKey.export({ format: 'pem', type: 'spki' }) as string,
  )
  const all = new Map<string, Running | undefined>([
    ['direct', direct],
    ['bare @fastify/http-proxy', bare],
    ['hfauth', hfauth],
    ['hfauth, strict', await startNode('hfauth-strict', settings)],
    ['nginx auth_request', nginx],
    ['mod_auth_openidc', apache],
  ])
  await latency(all)
  await firstEvent(direct, hfauth)
  await gigabytes(hfauth)
} finally {
  stopAll()
  issuer.close()
  rmSync(folder, { recursive: true, force: true })
}

async function latency(all: ReadonlyMap<string, Running | undefined>): Promise<void> {
  const there = [...all].flatMap(([name, server]) => (server === undefined ? [] : [{ name, server }]))
  for (const [name, server] of all) if (server === undefined) console.log(`${name}: not installed, left out`)
  const one = new Map(there.map(({ name }) => [name, [] as number[]]))
  const many = new Map(there.map(({ name }) => [name, [] as number[]]))
  const cpu = new Map(there.map(({ name }) => [name, [] as number[]]))
  for (const { server } of there) await load(server, 20, 1)
  for (let round = 0; round < rounds; round++) {
    const order = there.map((_, i) => there[(i + round) % there.length] as (typeof there)[number])
    for (const { name, server } of order) {
      one.get(name)?.push(await roundTrip(server))
      const before = server.cpuMs()
      const { requests } = await load(server, 20, seconds)
      many.get(name)?.push(requests.average)
      cpu.get(name)?.push(((server.cpuMs() - before) / requests.total) * 1000)
    }
  }
  const base = median(one.get('bare @fastify/http-proxy') ?? [])
  const openidc = median(many.get('mod_auth_openidc') ?? [])
  console.log(
    '\n═══ one request at a time (p50), requests a second of 20 connections, processor time of each',
  )
  for (const { name } of there) {
    const [p50, rate] = [median(one.get(name) ?? []), median(many.get(name) ?? [])]
    const share = openidc > 0 ? `, ${(rate / openidc).toFixed(2)} of mod_auth_openidc` : ''
    console.log(
      `${name.padEnd(26)} ${(p50 * 1000).toFixed(0).padStart(5)} µs, ${(p50 / base).toFixed(2)} × bare; ` +
        `${rate.toFixed(0).padStart(6)} a second${share}; ${median(cpu.get(name) ?? []).toFixed(0)} µs of processor time`,
    )
  }
}

async function load({ url }: Running, connections: number, duration: number): Promise<autocannon.Result> {
  const result = await autocannon({ url: url + path, connections, duration, headers })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`)
  return result
}

/** Median in milliseconds, finer than the load generator's own whole ones. */
async function roundTrip({ url }: Running): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < 1_000; i++) {
    const started = performance.now()
    const response = await fetch(url + path, { headers })
    await response.arrayBuffer()
    if (i >= 200) times.push(performance.now() - started)
  }
  return median(times)
}

async function firstEvent(direct: Running, proxy: Running): Promise<void> {
  const delayOf = async ({ url }: Running) => {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'acme/vision', stream: true, messages: [] }),
    })
    const reader = response.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    const arrived = performance.timeOrigin + performance.now()
    while (!(await reader?.read())?.done);
    return arrived - Number(/data: ([\d.]+)/.exec(new TextDecoder().decode(value))?.[1])
  }
  const times = { direct: [] as number[], proxy: [] as number[] }
  for (let i = 0; i < 100; i++) {
    times.direct.push(await delayOf(direct))
    times.proxy.push(await delayOf(proxy))
  }
  console.log('\n═══ the first event of a stream, from being sent to being read (median)')
  const [without, through] = [median(times.direct), median(times.proxy)]
  console.log(
    `direct ${without.toFixed(2)} ms, hfauth ${through.toFixed(2)} ms: ${(through - without).toFixed(2)} ms more`,
  )
}

async function gigabytes(proxy: Running): Promise<void> {
  console.log('\n═══ one gigabyte each way through hfauth')
  await watched('down', proxy, async () => {
    const response = await fetch(`${proxy.url}/acme/vision/resolve/main/big.bin`, { headers })
    let bytes = 0
    for await (const part of response.body ?? []) bytes += part.byteLength
    return bytes
  })
  await watched('up', proxy, async () => {
    const chunk = new Uint8Array(256 * 1024)
    let left = 4096
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- > 0) controller.enqueue(chunk)
        else controller.close()
      },
    })
    const type = { 'content-type': 'application/x-ndjson' }
    const init = { method: 'POST', headers: { ...headers, ...type }, body, duplex: 'half' }
    const response = await fetch(`${proxy.url}/api/models/acme/vision/commit/main`, init as RequestInit)
    if (!response.ok) throw new Error(`the upload was refused: ${response.status}`)
    return 4096 * chunk.length
  })
}

async function watched(name: string, proxy: Running, send: () => Promise<number>): Promise<void> {
  const before = proxy.rss()
  let highest = before
  const timer = setInterval(() => {
    highest = Math.max(highest, proxy.rss())
  }, 20)
  const started = performance.now()
  const bytes = await send()
  clearInterval(timer)
  const rate = bytes / 1024 / 1024 / ((performance.now() - started) / 1000)
  console.log(
    `${name}: ${(bytes / 2 ** 30).toFixed(2)} GiB at ${rate.toFixed(0)} MiB/s; ` +
      `memory ${before.toFixed(0)} MiB before, ${highest.toFixed(0)} MiB at most`,
  )
}
