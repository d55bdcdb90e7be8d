/**
 * Safe value: a claim as the panel shows it. Never a token, and nothing that stands for one.
 *
 * @module
 */

/** Says nothing to a person, and binds an answer to its token or sign-in. */
const hiddenNames = /^(nonce|[ac]t?_hash|s_hash|jti|sid)$|token|secret|password|code/i
/** A JWT, or a token of Hugging Face. */
const tokenLike = /\bey[\w-]{8,}\.[\w-]+|\bhf_\w{6,}/
const longest = 200

export function safeValue(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  if (hiddenNames.test(name) || tokenLike.test(text)) return '(hidden)'
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}
