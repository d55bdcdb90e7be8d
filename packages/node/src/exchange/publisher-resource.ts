/**
 * Publisher resource: how the token endpoint names what a CI job wants to write.
 *
 * @see huggingface.co/docs/hub: Trusted Publishers
 * @module
 */

const prefixes: ReadonlyMap<string, string> = new Map([
  ['model', ''],
  ['dataset', 'datasets/'],
  ['space', 'spaces/'],
  ['kernel', 'kernels/'],
  ['bucket', 'buckets/'],
])

/** `ns/name`, `datasets/ns/name` …; `undefined` for what no publisher can have. */
export function publisherResource({
  type,
  id,
}: {
  readonly type: string
  readonly id: string
}): string | undefined {
  const prefix = prefixes.get(type)
  return prefix === undefined ? undefined : prefix + id
}
