/**
 * Provider models: which models of the Hub a provider means by a name of its own.
 *
 * JSON body → **the Hub's mapping** → decide. One name can stand for several models. One that the Hub does not map,
 * or maps to whatever has some tag, stands for none that could be judged.
 *
 * @see huggingface.co/docs/inference-providers/register-as-a-provider, "Model Mapping API"
 * @module
 */
import { FlightCache } from '../../internal/flight-cache.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import { askHub, type HubAddress } from './ask-hub.ts'
import { isObject } from './repo-attributes.ts'

/**
 * The ids of all models that a name stands for, at least one.
 *
 * @throws ProxyRefusal `model_unmapped`; `upstream_unavailable` when the Hub does not say.
 */
export type ProviderModels = (provider: string, name: string) => Promise<readonly string[]>

type Mapping = ReadonlyMap<string, readonly string[]>

/** A mapping may be changed by its provider at any time. */
const mappingLivesMs = 60_000
/** There are fewer providers than this. */
const maxProviders = 100
const modelId = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}$/

export function createProviderModels({
  now,
  ...address
}: HubAddress & { readonly now: () => number }): ProviderModels {
  const cache = new FlightCache<Mapping>({ maxEntries: maxProviders, now })

  async function load(provider: string) {
    const value = readMapping(await askHub(address, `/api/partners/${provider}/models?status=live`))
    return { value, untilMs: now() + mappingLivesMs }
  }

  return async (provider, name) => {
    let mapping: Mapping
    try {
      mapping = await cache.get(provider, () => load(provider))
    } catch {
      throw new ProxyRefusal('upstream_unavailable')
    }
    const models = mapping.get(name) ?? []
    if (models.length === 0) throw new ProxyRefusal('model_unmapped')
    return models
  }
}

/** From `{ [task]: { [model]: { providerId, … } } }`; nothing about it is trusted. @throws Error for any other shape. */
function readMapping(answer: unknown): Mapping {
  const mapping = new Map<string, string[]>()
  const unclear = new Set<string>()
  for (const [model, entry] of itemsOf(answer)) {
    if (!isObject(entry) || typeof entry.providerId !== 'string') continue
    const { providerId, type = 'single-model' } = entry
    if (type !== 'single-model' || !modelId.test(model)) unclear.add(providerId)
    const models = mapping.get(providerId) ?? []
    mapping.set(providerId, models.includes(model) ? models : [...models, model])
  }
  for (const name of unclear) mapping.delete(name)
  return mapping
}

function itemsOf(answer: unknown): (readonly [model: string, entry: unknown])[] {
  if (!isObject(answer)) throw new Error('no mapping')
  return Object.values(answer).flatMap((models) => (isObject(models) ? Object.entries(models) : []))
}
