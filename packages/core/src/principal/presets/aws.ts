/**
 * AWS: web identity tokens of IAM principals (`aws`), and what an Application Load Balancer says of people
 * whom it signed in (`aws-alb`).
 *
 * @see docs.aws.amazon.com: IAM, outbound identity federation and its token claims; ELB, authenticate users
 * @module
 */
import { definePreset, standardMembers } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

const details = 'https://sts.amazonaws.com/'
const lifted = (name: string) => [`${details}${name}`, [details, name]] as const

export const aws: Preset = /* @__PURE__ */ definePreset({
  name: 'aws',
  kind: 'workload',
  issuer: {
    form: /^https:\/\/[0-9a-f-]{36}\.tokens\.sts\.global\.api\.aws$/,
    distinctive: true,
    example: 'https://01234567-89ab-cdef-0123-456789abcdef.tokens.sts.global.api.aws',
  },
  algorithms: ['RS256', 'ES384'],
  accessTokens: 'none',
  subjectClaims: [['sub']],
  lift: Object.fromEntries(
    [
      'aws_account',
      'source_region',
      'org_id',
      'ou_path',
      'lambda_source_function_arn',
      'ec2_source_instance_arn',
    ].map(lifted),
  ),
  coerce: { texts: [`${details}aws_account`] },
  tenant: { claim: `${details}aws_account`, form: /^\d{12}$/, what: 'account numbers of 12 digits' },
  requires: [`${details}aws_account`],
  reads: { name: 'sub' },
  revocation: 'none',
  logout: [],
})

export const awsAlb: Preset = /* @__PURE__ */ definePreset({
  name: 'aws-alb',
  kind: 'user',
  // That of the provider behind the load balancer, which its header names.
  issuer: {},
  algorithms: ['ES256'],
  keys: 'pem-per-kid',
  accessTokens: 'none',
  subjectClaims: [['sub']],
  tenant: {
    claim: 'signer',
    required: true,
    form: /^arn:aws:elasticloadbalancing:[a-z]{2}(?:-[a-z]+)+-\d:\d{12}:loadbalancer\/app\/[\w-]+\/[0-9a-f]+$/,
    what: 'ARNs of load balancers',
  },
  coerce: { booleans: ['email_verified'] },
  reads: standardMembers,
  revocation: 'none',
  logout: [],
})
