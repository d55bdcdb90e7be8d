/**
 * Visible: what somebody else wrote, as one line that can neither move the cursor nor pass for a line of ours.
 *
 * Policies, claims and audit logs come from elsewhere; a terminal acts on what it is shown, and a CI's log on
 * what a line begins with.
 *
 * @module
 */

/** One line of text: controls, line breaks and direction marks shown as their code. */
export function visible(value: unknown): string {
  if (value === undefined) return ''
  return String(value).replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Surrogate}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
