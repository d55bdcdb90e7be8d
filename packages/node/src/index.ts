/**
 * `@hfauth/node`: verify tokens, enforce the policy in process or as a proxy, and put every decision on record.
 *
 * @module
 */

export type { Disk } from './audit/append-file.ts'
export { type AuditCloudEvent, toCloudEvent } from './audit/export/cloud-event.ts'
export { type AuditLogRecord, type LogAttributes, toLogRecord } from './audit/export/log-record.ts'
export { type OcsfEvent, ocsfVersion, toOcsf } from './audit/export/ocsf.ts'
export { type JsonLinesSinkOptions, jsonLinesSink } from './audit/json-lines-sink.ts'
export { type AuditLogOptions, createAuditLog } from './audit/log.ts'
export { type MemorySink, memorySink } from './audit/memory-sink.ts'
export type { PersonalDataRules } from './audit/minimise.ts'
export { toCsv } from './audit/query/csv.ts'
export { type AuditLogSourceOptions, auditLogSource } from './audit/query/log-source.ts'
export { queryAudit } from './audit/query/query.ts'
export type { AuditFilter, AuditSource } from './audit/query/source.ts'
export type {
  ActivityQuestion,
  ActivityRow,
  AuditAnswers,
  AuditQuestion,
  DenialRow,
  DenialsQuestion,
  FirstAccessQuestion,
  FirstAccessRow,
  GapRow,
  GrantRow,
  LoadRow,
  LoadsQuestion,
  UnusedGrantsQuestion,
} from './audit/query/types.ts'
export { type AuditReportOptions, buildAuditReport } from './audit/report/build.ts'
export { renderAuditReport } from './audit/report/page.ts'
export { type PolicyDiff, policyDiff } from './audit/report/policy-diff.ts'
export type { AuditReport } from './audit/report/types.ts'
export type { StoredEvent } from './audit/segments/entries.ts'
export {
  checkEventProof,
  type EventProofResult,
  type ProofFault,
} from './audit/segments/event-proof.ts'
export type { Finding, FindingCode } from './audit/segments/findings.ts'
export {
  checkGrowthProof,
  type GrowthProof,
  type GrowthProofResult,
} from './audit/segments/growth-proof.ts'
export { type AuditKeyFileOptions, auditKeyFile } from './audit/segments/key-file.ts'
export type { SegmentSinkOptions } from './audit/segments/options.ts'
export { type ProveEventOptions, proveEvent, proveGrowth } from './audit/segments/prove.ts'
export {
  type PlacedEvent,
  type ReadSegmentsOptions,
  readSegments,
  type SegmentPlace,
} from './audit/segments/read.ts'

export { type SegmentSink, segmentSink } from './audit/segments/segment-sink.ts'
export {
  createShipper,
  type Shipper,
  type ShipperOptions,
  type ShipperStatus,
} from './audit/segments/shipper.ts'
export { type AuditKey, auditKey, publicKeyText, type TreeHead } from './audit/segments/signed-note.ts'
export { type VerifyReport, type VerifySegmentsOptions, verifySegments } from './audit/segments/verify.ts'
export type { AuditDestination } from './audit/sinks/destination.ts'
export { type HttpDestinationOptions, httpDestination } from './audit/sinks/http-destination.ts'
export type {
  AuditEffect,
  AuditEntry,
  AuditLog,
  AuditResume,
  AuditSink,
  RecordedEvent,
} from './audit/types.ts'

export {
  detectProvider,
  type JobTokenOptions,
  readJobToken,
  requestJobToken,
} from './exchange/ci/job-token.ts'
export { runProgram } from './exchange/ci/program.ts'
export { shownClaims } from './exchange/ci/shown-claims.ts'
export type { CiEnvironment, CiProvider, RunProgram } from './exchange/ci/types.ts'
export { createTokenExchange, type TokenExchangeOptions } from './exchange/exchange.ts'
export type { ExchangeActor } from './exchange/may-act.ts'
export {
  createPolicyExchange,
  type PolicyExchange,
  type PolicyExchangeOptions,
} from './exchange/policy-exchange.ts'
export type {
  ExchangedToken,
  ExchangeOwner,
  MemberExchange,
  PublisherExchange,
  TokenExchange,
} from './exchange/types.ts'
export {
  createForwardAuth,
  type ForwardAuth,
  type ForwardAuthOptions,
  type Gateway,
} from './forward-auth/forward-auth.ts'
export { createGuard } from './guard/guard.ts'
export {
  createResourceMetadata,
  type ResourceMetadata,
  type ResourceMetadataOptions,
} from './guard/resource-metadata.ts'
export type {
  Allowed,
  Connection,
  Guard,
  GuardOptions,
  GuardQuestion,
  GuardRequest,
  Refused,
} from './guard/types.ts'
export { directoryKeyStore, type KeyStore } from './keys/key-store.ts'
export { createLimiter, type LimiterOptions } from './limits/limiter.ts'
export { type MemoryLimitStoreOptions, memoryLimitStore } from './limits/memory-store.ts'
export type {
  LimitDemand,
  LimitedCaller,
  Limiter,
  LimitRule,
  LimitState,
  LimitStore,
} from './limits/types.ts'
export type { DrainOptions, ListeningProxy, ListenOptions, TlsFiles } from './proxy/listen.ts'
export { createProxy, type HubProxy, type PolicyParts } from './proxy/proxy.ts'
export type { ProxyLimits, ProxyOptions, WatchedStream } from './proxy/request/options.ts'
export {
  type CredentialRequest,
  exchangeForMember,
  exchangeForPublisher,
  firstOf,
  forwardCaller,
  serviceToken,
  type UpstreamCredential,
  type UpstreamCredentials,
} from './proxy/upstream/credentials.ts'
export type { AddressOption } from './proxy/wire/addresses.ts'
export { type FollowedPolicy, type FollowPolicyOptions, followPolicy } from './reload/follow-policy.ts'
export { policyFile } from './reload/policy-file.ts'
export { type PolicyUrlOptions, policyUrl } from './reload/policy-url.ts'
export type { PolicySource } from './reload/types.ts'
export { type AdminGuard, type AdminRevocationOptions, createAdminRevocation } from './revoke/admin.ts'
export { type BackChannelLogoutOptions, createBackChannelLogout } from './revoke/back-channel-logout.ts'
export { type EventReceiverOptions, revokesByDefault } from './revoke/event-receiver.ts'
export type { FindSubjects, FoundSubject } from './revoke/event-subject.ts'
export {
  createGlobalTokenRevocation,
  type GlobalTokenRevocationOptions,
} from './revoke/global-token-revocation.ts'
export type { Door } from './revoke/http.ts'
export {
  createRevocationIntake,
  type RevocationIntake,
  type RevocationIntakeOptions,
  type RevocationNotice,
} from './revoke/intake.ts'
export {
  type ProviderCallOptions,
  type RevokeAtGitHubOptions,
  type RevokeAtProviderOptions,
  type RevokeAtSlackOptions,
  revokeAtGitHub,
  revokeAtProvider,
  revokeAtSlack,
} from './revoke/provider.ts'
export { createRevocations, type RevocationsOptions } from './revoke/revocations.ts'
export type { EventReaderOptions, SecurityEvent, Transmitter } from './revoke/security-event.ts'
export { createSetPoller, type SetPoller, type SetPollOptions } from './revoke/set-poll.ts'
export { createSetPush, type SetPushOptions } from './revoke/set-push.ts'
export {
  createStreamWatch,
  type SilenceReason,
  type StreamHealth,
  type StreamWatch,
  type StreamWatchOptions,
} from './revoke/stream-watch.ts'
export type {
  FeedPage,
  Revocation,
  RevocationFeed,
  RevocationRecord,
  RevocationSet,
  RevocationState,
} from './revoke/types.ts'
export type { MarkStore } from './revoke/used-ids.ts'
export {
  type AssertionKeyStatus,
  type AssertionKeys,
  type AssertionKeysOptions,
  createAssertionKeys,
} from './secrets/assertion-keys.ts'
export { type ClientKeyStore, fileClientKeyStore, memoryClientKeyStore } from './secrets/client-key-store.ts'
export { type ClientSecret, InvalidClientError, withClientSecret } from './secrets/client-secret.ts'
export { createSecretRing, type SecretRingOptions } from './secrets/ring.ts'
export { readSecret, Secret } from './secrets/secret.ts'
export {
  type SecretDirectoryOptions,
  type SecretFileOptions,
  secretDirectory,
  secretFile,
  secretFunction,
} from './secrets/sources.ts'
export type { SecretAge, SecretRing, SecretSource, SecretStatus, SecretVersion } from './secrets/types.ts'
export { type MemorySessionStoreOptions, memorySessionStore } from './session/memory-store.ts'
export type { ClientAuthentication, SessionProviderOptions, SessionsOptions } from './session/options.ts'
export { type AccessToken, createSessions, type Sessions } from './session/sessions.ts'
export type { Session, SessionReader, SessionRequest, SessionStore, StoredSession } from './session/types.ts'
export { tokenFingerprint } from './token/fingerprint.ts'
export type { ClientCredentials, VerifierClients } from './verify/clients.ts'
export type { RevocableIdentity, Revocations, VerifiedCredential, Verifier } from './verify/types.ts'
export { createVerifier, type TokenVerifier, type VerifierOptions } from './verify/verifier.ts'
