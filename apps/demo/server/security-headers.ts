/**
 * The response headers a page that signs people in should send.
 *
 * @see RFC 10017 (OAuth 2.0 for Browser-Based Applications), Content Security Policy Level 3
 * @module
 */
import type { RequestHandler } from 'express'

export function securityHeaders(issuer: () => string): RequestHandler {
  return (_, res, next) => {
    const policy = [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      `connect-src 'self' ${issuer()}`,
      "img-src 'self' data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ]
    res.set({
      'content-security-policy': policy.join('; '),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      // Keeps pop-ups that this page opens able to answer it.
      'cross-origin-opener-policy': 'same-origin-allow-popups',
    })
    next()
  }
}
