/**
 * Leaves out members that are `undefined`, so that absent and unknown stay one thing.
 *
 * @module
 */

export type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

export function present<T extends object>(members: T): Present<T> {
  // A loop, because this runs for every new token.
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(members)) {
    const value = (members as Record<string, unknown>)[name]
    if (value !== undefined) result[name] = value
  }
  return result as Present<T>
}
