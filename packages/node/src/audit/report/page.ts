/**
 * Page: a report as one HTML file that loads nothing, runs nothing and can be printed.
 *
 * report → **page** → browser, printer, auditor. Everything from the log goes in as text.
 *
 * @module
 */
import { number } from './charts.ts'
import { html, Markup } from './html.ts'
import { sections } from './sections.ts'
import { style } from './style.ts'
import type { AuditReport } from './types.ts'
import { integrityText, missingOf } from './words.ts'

/** Renders a report as a whole HTML document. */
export function renderAuditReport(report: AuditReport): string {
  const { from, to, made, organisation, totals } = report
  const title =
    organisation === undefined ? 'Access and audit report' : `Access and audit report: ${organisation}`
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${new Markup(style)}</style></head>
<body><main>
<header><h1>${title}</h1>
<p class="soft">${dayOf(from)} to ${lastDayOf(to)} · made ${made.slice(0, 16).replace('T', ' ')} · times in UTC</p></header>
${verdict(report)}
<dl class="tiles">
${tile('Events', totals.events)}${tile('Principals', totals.principals)}${tile('Allowed', totals.allowed)}${tile('Denied', totals.denied)}${tile('Revocations', report.revocations.count)}${tile('Events missing', missingOf(report), missingOf(report) > 0)}
</dl>
${sections(report)}
</main></body></html>
`
  return page.text
}

function tile(name: string, value: number, isBad = false): Markup {
  return html`<div><dt>${name}</dt><dd${isBad ? html` class="bad"` : ''}>${number(value)}</dd></div>`
}

/** What a reader should know before the rest. */
function verdict(report: AuditReport): Markup {
  const { integrity, revocations, secrets, grants, loads } = report
  const findings: string[] = []
  const good: string[] = []
  if (integrity?.ok === false)
    findings.push('The trail is not what was written: see "Completeness of the trail".')
  else if (integrity !== undefined) good.push(integrityText(integrity))
  if (missingOf(report) > 0)
    findings.push(
      `Events missing from the trail: ${number(missingOf(report))}. See "Completeness of the trail".`,
    )
  else good.push('No event of the period is known to be missing.')
  if (revocations.usedAfter.length > 0)
    findings.push(
      `Requests that were allowed after all access of a person was revoked: ${number(revocations.usedAfter.length)}.`,
    )
  else if (revocations.count > 0) good.push('Nobody got through after all of their access was revoked.')
  const old = secrets.filter(({ ageDays = 0 }) => ageDays > 90)
  if (old.length > 0) findings.push(`Secrets older than 90 days: ${old.length}.`)
  const unused = grants.filter(({ uses }) => uses === 0)
  if (unused.length > 0)
    findings.push(`Grants that nobody used, candidates for removal: ${unused.length} of ${grants.length}.`)
  const unpinned = loads.reduce((sum, load) => sum + load.unpinned, 0)
  if (unpinned > 0) findings.push(`Loads that do not name the revision that was loaded: ${number(unpinned)}.`)
  return html`${findings.map((text) => html`<p class="finding">${text}</p>`)}${good.map((text) => html`<p class="finding ok">${text}</p>`)}`
}

function dayOf(time: string): string {
  return time.slice(0, 10)
}

/** The end does not belong to the period. */
function lastDayOf(time: string): string {
  return dayOf(new Date(Date.parse(time) - 1).toISOString())
}
