/**
 * What Hugging Face's scopes contain of each other, directly. Data, and apart from the catalogue, whose words no
 * page needs.
 *
 * @module
 */

export const scopeImplications: ReadonlyMap<string, readonly string[]> = /* @__PURE__ */ new Map([
  ['write-repos', ['read-repos']],
  ['manage-repos', ['write-repos', 'contribute-repos']],
  ['write-collections', ['read-collections']],
  ['write-endpoints', ['read-endpoints']],
])
