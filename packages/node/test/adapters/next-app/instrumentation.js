import { report } from './contract.js'

/** Next.js tells this what a handler throws. */
export const onRequestError = (error) => report(error)
