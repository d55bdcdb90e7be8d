/**
 * Kubernetes: projected service-account tokens. Many clusters share the default issuer, so there its keys
 * must be pinned in the policy; EKS gives each cluster an address with published keys.
 *
 * A verifier cannot see that the pod is gone: keep `expirationSeconds` short.
 *
 * @see kubernetes.io: reference/access-authn-authz/service-accounts-admin; docs.aws.amazon.com: eks, irsa-fetch-keys
 * @module
 */
import { textClaim } from '../claims.ts'
import { definePreset } from '../define-preset.ts'
import type { Preset, PresetData } from '../preset.ts'

const lifted = (...path: string[]) => [`kubernetes.io/${path.join('/')}`, ['kubernetes.io', ...path]] as const

const cluster = {
  kind: 'workload',
  sharedAudience: {
    form: /^(?:https:\/\/kubernetes\.default\.svc(?:\.cluster\.local)?\/?|sts\.amazonaws\.com)$/,
    what: 'the cluster’s own API, or AWS',
  },
  algorithms: ['RS256', 'ES256'],
  accessTokens: 'none',
  subjectClaims: [['sub']],
  lift: Object.fromEntries([
    lifted('namespace'),
    lifted('serviceaccount', 'name'),
    lifted('serviceaccount', 'uid'),
    lifted('pod', 'name'),
    lifted('node', 'name'),
  ]),
  tenant: { claim: 'kubernetes.io/namespace', form: /^[a-z0-9-]+$/, what: 'namespaces' },
  requires: ['kubernetes.io/namespace', 'kubernetes.io/serviceaccount/name'],
  reads: { name: 'kubernetes.io/serviceaccount/name' },
  refuse(claims) {
    const [namespace, name] = ['namespace', 'serviceaccount/name'].map((part) =>
      textClaim(claims, `kubernetes.io/${part}`),
    )
    return textClaim(claims, 'sub') === `system:serviceaccount:${namespace}:${name}`
      ? undefined
      : '`sub` of the token is not the service account that its `kubernetes.io` names'
  },
  weak: { 'kubernetes.io/pod/name': '', 'kubernetes.io/node/name': '' },
  revocation: 'none',
  logout: [],
} as const satisfies Partial<PresetData>

export const kubernetes: Preset = /* @__PURE__ */ definePreset({
  ...cluster,
  name: 'kubernetes',
  issuer: { shared: /^https:\/\/kubernetes\.default\.svc(?:\.cluster\.local)?\/?$/ },
})

export const awsEks: Preset = /* @__PURE__ */ definePreset({
  ...cluster,
  name: 'aws-eks',
  issuer: {
    form: /^https:\/\/oidc\.eks\.[a-z0-9-]+\.amazonaws\.com\/id\/[0-9A-F]+$/,
    distinctive: true,
    example: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF',
  },
})
