/**
 * Default world: the organisation `acme`, four people, two apps and six repositories.
 *
 * hub-files → **default world** → merge. Names and ids are fixed so that tests can
 * state them; secrets are random for each start.
 *
 * @module
 */

import { readHubFiles } from './hub-files.ts'
import { randomText } from './random-text.ts'
import { knownScopes } from './scopes.ts'
import type { Membership, Person, Repo, World } from './world.ts'

/** Client id of the default public app: code flow with PKCE, and the device flow. */
export const publicAppId = '5f0c1b1e-6a1f-4d5e-9c67-1f3d2b8a4e01'

/** Client id of the default confidential app of `acme`, which may exchange members' e-mails. */
export const confidentialAppId = '5f0c1b1e-6a1f-4d5e-9c67-1f3d2b8a4e02'

const callbackPaths = ['/', '/callback', '/auth/callback', '/oauth/callback']
const loopbackCallbacks = ['localhost', '127.0.0.1', '[::1]'].flatMap((host) =>
  callbackPaths.map((path) => `http://${host}${path}`),
)

function person(username: string, serial: number, name: string, acme?: Membership): Person {
  return {
    username,
    id: `64a1f00000000000000000${serial.toString(16).padStart(2, '0')}`,
    name,
    email: `${username}@acme.example`,
    emailVerified: true,
    isPro: false,
    orgs: acme ? { acme } : {},
  }
}

function repo(type: Repo['type'], id: string, rest: Omit<Repo, 'type' | 'id' | 'files'>): Repo {
  return { type, id, ...rest, files: readHubFiles(`${type}s/${id}`) }
}

/** Builds a fresh copy, so that two hubs in one process never share state. */
export function createDefaultWorld(): World {
  return {
    people: [
      person('ana', 1, 'Ana Ruiz', { role: 'write' }),
      person('ben', 2, 'Ben Okafor', { role: 'read' }),
      person('cleo', 3, 'Cleo Marchetti', { role: 'admin' }),
      person('dan', 4, 'Dan Lindqvist'),
    ],
    organizations: [
      { name: 'acme', id: '64a1f0000000000000000100', displayName: 'Acme Research', plan: 'enterprise' },
    ],
    apps: [
      {
        clientId: publicAppId,
        name: 'Acme Workbench',
        kind: 'public',
        redirectUris: loopbackCallbacks,
        scopes: [...knownScopes],
      },
      {
        clientId: confidentialAppId,
        name: 'Acme Gateway',
        kind: 'confidential',
        clientSecret: `oauth_app_secret_${randomText(34)}`,
        redirectUris: loopbackCallbacks,
        scopes: [...knownScopes],
        org: 'acme',
        tokenExchange: true,
      },
    ],
    repos: [
      repo('model', 'acme/vision-large', {
        private: true,
        pipelineTag: 'image-classification',
        libraryName: 'transformers',
        tags: ['transformers', 'safetensors', 'vision'],
        createdBy: 'cleo',
      }),
      repo('model', 'acme/vision-small', {
        pipelineTag: 'image-classification',
        libraryName: 'transformers',
        tags: ['transformers', 'safetensors', 'vision'],
        createdBy: 'ana',
      }),
      repo('model', 'acme/text-chat', {
        pipelineTag: 'text-generation',
        libraryName: 'transformers',
        tags: ['transformers', 'safetensors', 'conversational'],
        createdBy: 'cleo',
      }),
      repo('model', 'acme/restricted', {
        pipelineTag: 'text-generation',
        libraryName: 'transformers',
        tags: ['transformers', 'not-for-all-audiences'],
        createdBy: 'cleo',
      }),
      repo('model', 'acme/vision-gated', {
        gated: 'manual',
        pipelineTag: 'image-classification',
        libraryName: 'transformers',
        tags: ['transformers', 'vision'],
        admitted: [],
        createdBy: 'cleo',
      }),
      repo('dataset', 'acme/vision-labels', {
        private: true,
        tags: ['vision', 'size_categories:n<1K'],
        createdBy: 'ana',
      }),
    ],
    trustedPublishers: [],
    userTokens: [],
    inference: {
      models: ['acme/text-chat', 'acme/restricted', 'acme/vision-small', 'acme/vision-large'],
      chunkDelayMs: 15,
    },
    omitOrgs: false,
  }
}
