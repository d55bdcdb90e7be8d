/** What a client finds out about a resource that refused it (RFC 9728). */
import { createEngine, definePolicy, parsePolicy } from '@hfauth/core'
import { processResourceDiscoveryResponse } from 'oauth4webapi'
import { describe, expect, test } from 'vitest'
import { createResourceMetadata, type ResourceMetadataOptions } from '../src/index.ts'

const policy = parsePolicy(
  definePolicy({
    version: 1,
    name: 'acme-models',
    issuers: {
      hf: { preset: 'huggingface', audience: 'app' },
      okta: { preset: 'okta', issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://models' },
      again: { preset: 'okta', issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://other' },
      ci: { preset: 'github-actions', audience: 'https://huggingface.co' },
    },
    environments: { production: { actions: ['read', 'infer'] } },
    roles: { 'secret-role': { allow: [{ actions: ['read', 'infer', 'write'], on: ['model:acme/*'] }] } },
    scopes: { 'models.read': { actions: ['read'], on: ['model:acme/*'] } },
    bindings: [{ roles: ['secret-role'], to: { issuer: ['hf', 'okta'] } }],
  }),
)
const engine = createEngine(policy, { environment: 'production' })
const metadataFor = (options: Partial<ResourceMetadataOptions> = {}) =>
  createResourceMetadata({ engine, resource: 'https://api.acme.dev', ...options })

describe('the metadata of a resource', () => {
  test('names where people sign in and what can be needed, and nothing else of the policy', () => {
    expect(metadataFor({ name: 'Models', documentation: 'https://acme.dev/docs' }).document).toEqual({
      resource: 'https://api.acme.dev',
      authorization_servers: ['https://huggingface.co', 'https://acme.okta.com/oauth2/default'],
      scopes_supported: ['inference-api', 'models.read', 'read-repos'],
      bearer_methods_supported: ['header'],
      resource_name: 'Models',
      resource_documentation: 'https://acme.dev/docs',
    })
  })

  test('says what it is told to say instead', () => {
    const authorizationServers = ['https://login.acme.dev']
    expect(metadataFor({ authorizationServers, scopes: [] }).document).toEqual({
      resource: 'https://api.acme.dev',
      authorization_servers: authorizationServers,
      bearer_methods_supported: ['header'],
    })
  })

  test.each([
    ['https://api.acme.dev', 'https://api.acme.dev/.well-known/oauth-protected-resource'],
    ['https://api.acme.dev/', 'https://api.acme.dev/.well-known/oauth-protected-resource'],
    ['https://api.acme.dev/v1', 'https://api.acme.dev/.well-known/oauth-protected-resource/v1'],
    ['https://api.acme.dev/v1/a', 'https://api.acme.dev/.well-known/oauth-protected-resource/v1/a'],
    ['http://127.0.0.1:8080/v1', 'http://127.0.0.1:8080/.well-known/oauth-protected-resource/v1'],
  ])('of %s is at %s, and a client’s library takes it', async (resource, url) => {
    const metadata = metadataFor({ resource })
    expect([metadata.url, new URL(url).pathname]).toEqual([url, metadata.path])
    const response = metadata.handle(new Request(url))
    expect(await processResourceDiscoveryResponse(new URL(resource), response)).toMatchObject({
      authorization_servers: metadata.document.authorization_servers,
    })
  })

  test.each([
    'http://api.acme.dev',
    'https://api.acme.dev/?tenant=1',
    'https://api.acme.dev/#x',
    'https://user:secret@api.acme.dev',
    'api.acme.dev',
  ])('of %s cannot be made', (resource) => {
    expect(() => metadataFor({ resource })).toThrow(
      expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
    )
    expect(() => metadataFor({ authorizationServers: [resource] })).toThrow('authorizationServers')
  })
})

describe('its handler', () => {
  const metadata = metadataFor({ resource: 'https://api.acme.dev/v1' })
  const ask = (method: string, path = metadata.path) =>
    metadata.handle(new Request(`https://api.acme.dev${path}`, { method }))

  test('answers everybody, may be cached, and has no body for HEAD', async () => {
    const response = ask('GET')
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'public, max-age=3600',
      'access-control-allow-origin': '*',
    })
    expect(await response.json()).toEqual(metadata.document)
    const head = ask('HEAD')
    expect(await head.text()).toBe('')
    expect(head.headers.get('content-length')).toBe(response.headers.get('content-length'))
  })

  test('has nothing elsewhere, and takes nothing', async () => {
    expect(ask('GET', '/.well-known/oauth-protected-resource').status).toBe(404)
    const post = ask('POST')
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect(await post.json()).toMatchObject({ type: 'urn:hfauth:problem:method_unknown' })
  })
})
