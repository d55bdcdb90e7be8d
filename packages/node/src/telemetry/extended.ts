/**
 * Extended: an object as it is, with some of its methods replaced.
 *
 * @module
 */

/** The original stands behind the copy, so that what is not replaced costs nothing more. */
export function extended<T extends object>(target: T, replaced: Partial<T>): T {
  return Object.create(target, Object.getOwnPropertyDescriptors(replaced)) as T
}
