/**
 * Unrecorded: the name under which the set itself takes something back.
 *
 * Not exported by the package, so that the intake, which puts every revocation on record, is the one way in.
 *
 * @module
 */
export const unrecorded: unique symbol = Symbol('unrecorded')
