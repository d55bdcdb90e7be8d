/**
 * Testkit: a Hugging Face on loopback, for tests and demos.
 *
 * Everything public, name by name. Nothing here reaches beyond 127.0.0.1.
 *
 * @module
 */

export type { Fault } from './http/faults.ts'
export type { RecordedRequest, RequestLog } from './http/request-log.ts'
export type { ApproveDeviceOptions, SignInOptions } from './sign-in.ts'
export {
  type CiFaults,
  type CiIssuer,
  type CiIssuerOptions,
  type CiTokenOptions,
  startCiIssuer,
} from './start-ci-issuer.ts'
export { type Hub, type HubFaults, type HubOptions, startHub, type TokenForOptions } from './start-hub.ts'
export { confidentialAppId, createDefaultWorld, publicAppId } from './world/default-world.ts'
export type {
  App,
  Inference,
  Membership,
  Organization,
  OrgRole,
  Person,
  Repo,
  RepoType,
  ResourceGroupRole,
  TrustedPublisher,
  UserToken,
  World,
  WorldOptions,
} from './world/world.ts'
