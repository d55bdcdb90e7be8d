/** The floor: a fetch with a header that is known. */
export const call = (): Promise<Response> =>
  fetch('/ping', { headers: { authorization: 'Bearer token-of-the-bench' } })
