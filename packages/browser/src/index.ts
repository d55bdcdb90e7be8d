/**
 * `@hfauth/browser`: sign in with Hugging Face from a page, and show only what the policy allows.
 *
 * @module
 */

export { type Help, helpFor } from './access/help.ts'
export {
  createPermissions,
  type Permissions,
  type PermissionsOptions,
  type PermissionsState,
} from './access/permissions.ts'
export type { PermissionsAuth, Rules, RulesSource } from './access/rules.ts'
export { type Capabilities, capabilitiesOf } from './capabilities.ts'
export { type Auth, type AuthExtensions, createAuth, type SignOutOptions } from './create-auth.ts'
export type { SignInResult } from './login/callback.ts'
export { beginElsewhere, type ElsewhereOptions, type SignInElsewhere } from './login/elsewhere.ts'
export type { SignInOptions } from './login/sign-in-url.ts'
export { readUserinfo, type Userinfo, type UserinfoAuth } from './login/userinfo.ts'
export type { AuthOptions, PushRequest } from './options.ts'
export type { AttemptStorage, Page, PageDocument, Surroundings } from './page.ts'
export {
  continueSignIn,
  type DirectAuth,
  directSignInUrl,
  type SignInWay,
  signInWays,
} from './popup/direct.ts'
export {
  type OpeningWindow,
  PopupBlockedError,
  type PopupOptions,
  signInWithPopup,
} from './popup/popup.ts'
export type { IdTokenClaims } from './provider/id-token.ts'
export { pushRequest } from './provider/pushed-request.ts'
export { type RefusalReason, SignInRefusedError } from './provider/refusal.ts'
export { type BackendOptions, byBackend } from './renewal/by-backend.ts'
export { byFrame, type FrameOptions } from './renewal/by-frame.ts'
export { checkOnFocus, type FocusCheckOptions } from './renewal/check-on-focus.ts'
export { byChallenge, type StepUpWay } from './session/challenge.ts'
export type { AuthEvent, AuthListener, StepUp } from './session/events.ts'
export type { RenewalTools, RenewalWay } from './session/renewal.ts'
export type { Session } from './session/session.ts'
export type { AuthState } from './session/session-state.ts'
export { type SpaceOptions, type SpaceWindow, spaceOptions } from './space-options.ts'
export { inSessionStorage, type TokenStore } from './token-store.ts'
export type { Holding } from './vault/grant.ts'
export type { ChangedBy } from './vault/holder.ts'
export type { Vault, VaultParts } from './vault/vault.ts'
export { inWorker, type MessageTarget, type WorkerLike } from './vault/worker-client.ts'
