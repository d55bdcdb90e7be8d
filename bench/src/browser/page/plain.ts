/** The floor: a fetch with a header that is known. */
export const signIn = (): boolean => true

export const call = (path: string): Promise<Response> =>
  fetch(path, { headers: { authorization: 'Bearer token-of-the-bench' } })
