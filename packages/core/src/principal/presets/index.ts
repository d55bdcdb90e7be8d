/**
 * The presets there are, by the name a policy uses.
 *
 * @module
 */
import type { Preset } from '../preset.ts'
import { githubActions } from './github-actions.ts'
import { huggingface } from './huggingface.ts'
import { oidc } from './oidc.ts'
import { okta } from './okta.ts'

export const presets: ReadonlyMap<string, Preset> = new Map(
  [huggingface, githubActions, okta, oidc].map((preset) => [preset.name, preset]),
)
