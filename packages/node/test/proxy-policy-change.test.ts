/** Another policy under way: what is open is judged again, and what the new one does not allow is cut. */
import { createEngine, definePolicy, type Policy, type PolicyDocument, parsePolicy } from '@hfauth/core'
import { afterEach, describe, expect, test } from 'vitest'
import { createVerifier, forwardCaller, type PolicyParts } from '../src/index.ts'
import { createLeases, type LeaseJudge, type LeaseTerms } from '../src/proxy/request/leases.ts'
import { Stop } from '../src/proxy/wire/stop.ts'
import { type Fixture, type FixtureOptions, restOf, startFixture } from './proxy-fixture.ts'

let it: Fixture
afterEach(() => it?.close())

/** An upstream whose streams go on until the test ends them or they are given up. */
function openUpstream() {
  const open = new Set<ReadableStreamDefaultController<Uint8Array>>()
  let givenUp = 0
  const upstream: typeof fetch = async (input, init) => {
    if (!/\/v1\/chat\/|\/resolve\//.test(String(input))) return fetch(input, init)
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from('data: first\n\n'))
        open.add(controller)
        init?.signal?.addEventListener('abort', () => {
          givenUp++
          open.delete(controller)
          controller.error(init.signal?.reason)
        })
      },
    })
    const isChat = String(input).includes('/v1/chat/')
    return new Response(body, {
      headers: { 'content-type': isChat ? 'text/event-stream' : 'application/octet-stream' },
    })
  }
  return {
    fetch: upstream,
    givenUp: () => givenUp,
    end() {
      for (const controller of open) {
        controller.enqueue(Buffer.from('data: last\n\n'))
        controller.close()
      }
    },
  }
}

const start = async (options: FixtureOptions = {}) => {
  const upstream = openUpstream()
  it = await startFixture({ fetch: upstream.fetch, ...options })
  return upstream
}
const chat = async (username = 'ana') =>
  fetch(`${it.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await it.tokenOf(username)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'acme/text-chat', messages: [], stream: true }),
  })
const firstOf = async (response: Response) => {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: first\n\n')
  return reader
}

const audience = 'hfauth-public'
function policyWith(more: Partial<PolicyDocument>, issuer = it.hub.url): Policy {
  const { issuers } = it.policy
  return parsePolicy(
    definePolicy({
      version: 1,
      name: 'next',
      issuers: { hf: { preset: 'huggingface', issuer, audience: issuers.get('hf')?.audience ?? audience } },
      environments: { development: {} },
      roles: { engineer: { allow: [{ actions: ['infer', 'read'], on: ['model:acme/*'] }] } },
      bindings: [{ roles: ['engineer'], to: { issuer: 'hf', org: 'acme' } }],
      ...more,
    } as PolicyDocument),
  )
}
const partsOf = (policy: Policy): PolicyParts => ({
  engine: createEngine(policy, { environment: 'development' }),
  verifier: createVerifier({ policy }),
  credentials: forwardCaller(),
})
const nobodyMay = () => policyWith({ roles: { engineer: { allow: [] } } })

describe('another policy', () => {
  test('that allows what is open leaves it alone, and leaves nothing more on record', async () => {
    const upstream = await start()
    const reader = await firstOf(await chat())
    const before = it.events.length
    it.proxy.use(partsOf(policyWith({})))
    expect((await chat('ben')).status).toBe(200)
    upstream.end()
    expect(await restOf(reader)).toBe('data: last\n\n')
    const ended = await it.eventOf('io.hfauth.inference.completed')
    expect(ended).not.toHaveProperty('error')
    const ours = it.events.slice(before).filter(({ requestId }) => requestId === ended.requestId)
    expect(ours.map(({ type }) => type)).toEqual(['io.hfauth.inference.completed'])
    expect(upstream.givenUp()).toBe(0)
  })

  test('that does not allow it ends it, says why, and the denial is on record under the new policy', async () => {
    const upstream = await start()
    const reader = await firstOf(await chat())
    const next = nobodyMay()
    it.proxy.use(partsOf(next))
    expect(await restOf(reader)).toBe('event: error\ndata: {"reason":"policy_changed"}\n\n')
    expect(upstream.givenUp()).toBe(1)
    const ended = await it.eventOf('io.hfauth.inference.completed')
    expect(ended).toMatchObject({ error: 'policy_changed', http: { bytesOut: 13 } })
    const denial = it.events.find(({ decision }) => decision?.effect === 'deny')
    expect(denial).toMatchObject({
      requestId: ended.requestId,
      action: 'infer',
      resource: { kind: 'model', id: 'acme/text-chat' },
      http: { method: 'POST', route: '/v1/chat/completions' },
      decision: { policy: next.reference.digest },
    })
  })

  test('breaks off what is no answer in events', async () => {
    await start()
    const response = await fetch(`${it.url}/acme/vision-small/resolve/main/model.bin`, {
      headers: { authorization: `Bearer ${await it.tokenOf('ben')}` },
    })
    const reader = await firstOf(response)
    it.proxy.use(partsOf(nobodyMay()))
    await expect(restOf(reader)).rejects.toThrow()
    expect(await it.eventOf('io.hfauth.model.load')).toMatchObject({ error: 'policy_changed' })
  })

  test('asks the Hub for what it needs to know of the resource, which the one before did not', async () => {
    await start({ policy: { deny: [] } })
    const reader = await firstOf(await chat())
    const deny = [{ actions: ['infer'], on: ['model:**'], when: { 'resource.tags': { $contains: 'nlp' } } }]
    const asked = () => it.hub.requests.filter(({ path }) => path === '/api/models/acme/text-chat').length
    const before = asked()
    it.proxy.use(partsOf(policyWith({ deny } as never)))
    await expect.poll(asked).toBe(before + 1)
    await reader.cancel()
  })

  test('in which the same name stands for another issuer ends what the other one’s token opened', async () => {
    await start()
    const reader = await firstOf(await chat())
    it.proxy.use(partsOf(policyWith({}, 'https://elsewhere.test')))
    expect(await restOf(reader)).toContain('policy_changed')
  })

  test('that comes between a decision and its answer still counts', async () => {
    let replace: () => void = () => undefined
    const upstream = await start({
      credentials: (need) => {
        replace()
        return forwardCaller()(need)
      },
    })
    replace = () => it.proxy.use(partsOf(nobodyMay()))
    const response = await chat()
    expect(await response.text()).toMatch(/policy_changed|upstream_unavailable/)
    expect(await it.eventOf('io.hfauth.inference.completed')).toMatchObject({ error: 'policy_changed' })
    expect(upstream.givenUp()).toBeLessThanOrEqual(1)
  })

  test('in a dry run cuts nothing, and what it would have refused is on record', async () => {
    const upstream = await start({ mode: 'dry-run' })
    const reader = await firstOf(await chat())
    it.proxy.use(partsOf(nobodyMay()))
    await expect.poll(() => it.events.filter(({ decision }) => decision?.enforced === false).length).toBe(1)
    upstream.end()
    expect(await restOf(reader)).toBe('data: last\n\n')
  })

  test('does not give a caller a second share of requests at a time', async () => {
    const upstream = await start({ limits: { requestsPerCaller: 1 } })
    const reader = await firstOf(await chat())
    it.proxy.use(partsOf(policyWith({})))
    expect((await chat()).status).toBe(429)
    upstream.end()
    await restOf(reader)
    const again = await chat()
    expect(again.status).toBe(200)
    await again.body?.cancel()
  })
})

describe('leases', () => {
  const judgeThat = (allowsStill: LeaseJudge['allowsStill']): LeaseJudge => ({
    issuerNamed: () => undefined,
    allowsStill,
  })
  const first = judgeThat(async () => true)
  const termsOf = (id: string, judge = first) =>
    ({ caller: { principal: { id, kind: 'user' } }, headers: new Headers(), judge }) as unknown as LeaseTerms
  const create = () => {
    const leases = createLeases({ atExpiry: 'cut', perCaller: 10_000, now: Date.now })
    leases.judgeBy(first)
    return leases
  }
  /** Takes a lease, and gives what it stops. */
  const open = (leases: ReturnType<typeof create>, id: string, judge = first) => {
    const stop = new Stop()
    return { stop, lease: leases.take(termsOf(id, judge), stop) }
  }
  const settle = async (isDone: () => boolean) => {
    while (!isDone()) await new Promise((resolve) => setImmediate(resolve))
  }

  test('are judged a few at a time, each once, however many there are', async () => {
    const leases = create()
    const held = Array.from({ length: 1_000 }, (_, i) => open(leases, `caller ${i}`))
    let now = 0
    let most = 0
    const judged: string[] = []
    leases.judgeBy(
      judgeThat(async ({ caller }) => {
        now++
        most = Math.max(most, now)
        await new Promise((resolve) => setImmediate(resolve))
        now--
        judged.push(caller.principal.id)
        return !caller.principal.id.endsWith('7')
      }),
    )
    await settle(() => judged.length === held.length)
    expect(new Set(judged).size).toBe(1_000)
    expect(most).toBe(8)
    const ended = held.filter(({ stop }) => stop.reason !== undefined)
    expect(ended).toHaveLength(100)
    expect(ended[0]?.stop.reason).toBe('policy_changed')
  })

  test('are left to the latest policy when several come in a row', async () => {
    const leases = create()
    const held = Array.from({ length: 100 }, (_, i) => open(leases, `caller ${i}`))
    let asked = 0
    leases.judgeBy(
      judgeThat(async () => {
        asked++
        return false
      }),
    )
    let judged = 0
    leases.judgeBy(
      judgeThat(async () => {
        judged++
        return true
      }),
    )
    await settle(() => judged === held.length)
    expect(asked).toBeLessThanOrEqual(8)
    expect(held.filter(({ stop }) => stop.reason !== undefined)).toEqual([])
  })

  test('that cannot be judged end', async () => {
    const leases = create()
    const { stop } = open(leases, 'ana')
    leases.judgeBy(judgeThat(() => Promise.reject(new Error('no record'))))
    await settle(() => stop.reason !== undefined)
    expect(stop.reason).toBe('policy_changed')
  })

  test('that were given back are not judged, and those of the policy in force are not judged again', async () => {
    const leases = create()
    open(leases, 'gone').lease.release()
    const judged: string[] = []
    const next = judgeThat(async ({ caller }) => judged.push(caller.principal.id) > 0)
    leases.judgeBy(next)
    open(leases, 'new', next)
    open(leases, 'old')
    await settle(() => judged.length > 0)
    expect(judged).toEqual(['old'])
  })
})
