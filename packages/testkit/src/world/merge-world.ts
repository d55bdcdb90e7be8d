/**
 * Merge world: turns what a test wrote down into a complete, live world.
 *
 * options + default world → **merge** → everything else. Confidential apps without
 * a secret get one here, so that no secret has to stand in a test.
 *
 * @module
 */

import { createDefaultWorld } from './default-world.ts'
import { randomText } from './random-text.ts'
import type { World, WorldOptions } from './world.ts'

/** @returns A world of its own: arrays are new, entries given in `options` are kept by reference. */
export function mergeWorld(options: WorldOptions = {}): World {
  const base = options.base === 'empty' ? createEmptyWorld() : createDefaultWorld()
  const world: World = {
    people: mergeBy(base.people, options.people, (person) => person.username),
    organizations: mergeBy(base.organizations, options.organizations, (organization) => organization.name),
    apps: mergeBy(base.apps, options.apps, (app) => app.clientId),
    repos: mergeBy(base.repos, options.repos, (repo) => `${repo.type} ${repo.id}`),
    trustedPublishers: [...base.trustedPublishers, ...(options.trustedPublishers ?? [])],
    userTokens: mergeBy(base.userTokens, options.userTokens, (entry) => entry.token),
    inference: { ...base.inference, ...options.inference },
    omitOrgs: options.omitOrgs ?? base.omitOrgs,
  }
  for (const app of world.apps) {
    if (app.kind !== 'public') app.clientSecret ??= `oauth_app_secret_${randomText(34)}`
  }
  return world
}

function mergeBy<T>(base: readonly T[], given: readonly T[] | undefined, key: (entry: T) => string): T[] {
  const merged = new Map(base.map((entry) => [key(entry), entry]))
  for (const entry of given ?? []) merged.set(key(entry), entry)
  return [...merged.values()]
}

function createEmptyWorld(): World {
  return {
    people: [],
    organizations: [],
    apps: [],
    repos: [],
    trustedPublishers: [],
    userTokens: [],
    inference: { models: [], chunkDelayMs: 15 },
    omitOrgs: false,
  }
}
