/**
 * Brands: a type-level mark that a value has passed a check.
 *
 * Only the function that performs the check may apply the brand, and its file
 * holds the only cast.
 *
 * @module
 */

declare const brand: unique symbol

export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
