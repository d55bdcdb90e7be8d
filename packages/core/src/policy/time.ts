/**
 * Times and durations as policies write them.
 *
 * @module
 */

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
/** `15m`; see {@link parseDuration}. */
export const durationText = /^(\d{1,9})(s|m|h|d|w)$/
/** An RFC 3339 date and time; that the day exists is checked by {@link parseTime}. */
export const timeText = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/** Seconds in `15m`, `8h`, `30d`; `undefined` when `text` is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = durationText.exec(text)
  return match === null ? undefined : Number(match[1]) * (unitSeconds[match[2] ?? ''] ?? 0)
}

/** Epoch milliseconds of an RFC 3339 time; `undefined` for anything else, and for days that do not exist. */
export function parseTime(text: string): number | undefined {
  const match = timeText.exec(text)
  if (match === null) return undefined
  const [, year, month, day] = match.map(Number)
  const lastDay = new Date(Date.UTC(year ?? 0, month ?? 0, 0)).getUTCDate()
  if (day === undefined || day < 1 || day > lastDay) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

/** A moment: fixed, or so many milliseconds from now (`7d`, or `-7d` for the past). */
export type Moment = { readonly at: number } | { readonly fromNow: number }

export function parseMoment(text: string): Moment | undefined {
  const at = parseTime(text)
  if (at !== undefined) return { at }
  const seconds = parseDuration(text.replace(/^[+-]/, ''))
  return seconds === undefined ? undefined : { fromNow: (text.startsWith('-') ? -1000 : 1000) * seconds }
}
