/**
 * Charts: inline SVG that needs no script, can be printed, and has its numbers in words for whoever cannot see it.
 *
 * @module
 */
import { html, type Markup } from './html.ts'
import type { DayRow } from './types.ts'

const width = 720

/** Allowed below, denied above, one column a day or for as many days as fit. */
export function dayChart(days: readonly DayRow[]): Markup {
  const columns = grouped(days, 92)
  const highest = Math.max(1, ...columns.map(({ allowed, denied }) => allowed + denied))
  const height = 180
  const step = width / Math.max(1, columns.length)
  const scale = (count: number) => (count / highest) * (height - 20)
  const bars = columns.map(({ day, allowed, denied }, i) => {
    const x = round(i * step + step * 0.12)
    const w = round(step * 0.76)
    const low = round(scale(allowed))
    const high = round(scale(denied))
    return html`<g><title>${day}: ${allowed} allowed, ${denied} denied</title><rect class="allow" x="${x}" y="${round(height - low)}" width="${w}" height="${low}"/><rect class="deny" x="${x}" y="${round(height - low - high)}" width="${w}" height="${high}"/></g>`
  })
  const total = (name: 'allowed' | 'denied') => days.reduce((sum, day) => sum + day[name], 0)
  const label = `Decisions by day: ${total('allowed')} allowed, ${total('denied')} denied; at most ${highest} in one column`
  return html`<svg class="chart" role="img" aria-label="${label}" viewBox="0 0 ${width} ${height + 22}">
<line class="axis" x1="0" y1="20" x2="${width}" y2="20" stroke-dasharray="2 4"/><text x="0" y="14">${number(highest)}</text>
${bars}<line class="axis" x1="0" y1="${height}" x2="${width}" y2="${height}"/>
<text x="0" y="${height + 17}">${columns[0]?.day}</text><text x="${width}" y="${height + 17}" text-anchor="end">${days.at(-1)?.day}</text></svg>`
}

export interface Bar {
  readonly name: string
  readonly value: number
  /** Behind the bar; default the value. */
  readonly text?: string
  readonly isBad?: boolean
}

/** One bar a line, the longest as long as there is room. */
export function barChart(title: string, bars: readonly Bar[]): Markup {
  const shown = bars.slice(0, 12)
  const highest = Math.max(1, ...shown.map(({ value }) => value))
  const line = 26
  const left = 270
  const rows = shown.map(({ name, value, text, isBad = false }, i) => {
    const y = i * line
    const w = round(Math.max(value === 0 ? 0 : 2, (value / highest) * (width - left - 110)))
    return html`<text x="${left - 10}" y="${y + 17}" text-anchor="end">${shortened(name, 40)}<title>${name}</title></text><rect class="${isBad ? 'deny' : 'allow'}" rx="2" x="${left}" y="${y + 5}" width="${w}" height="16"/><text x="${left + w + 8}" y="${y + 17}">${text ?? number(value)}</text>`
  })
  const label = `${title}: ${shown.map(({ name, value, text }) => `${name} ${text ?? value}`).join(', ')}`
  return html`<svg class="chart" role="img" aria-label="${label}" viewBox="0 0 ${width} ${shown.length * line}">${rows}</svg>`
}

/** The period as a line, with a mark wherever something is missing. */
export function gapChart(from: number, to: number, times: readonly number[]): Markup {
  const at = (time: number) => round(((time - from) / (to - from)) * width)
  const marks = times.map(
    (time) => html`<rect class="deny" x="${Math.max(0, at(time) - 2)}" y="4" width="4" height="22"/>`,
  )
  const label =
    times.length === 0 ? 'The trail has no gap on record' : `The trail has ${times.length} gaps on record`
  return html`<svg class="chart" role="img" aria-label="${label}" viewBox="0 0 ${width} 30"><rect class="allow" rx="3" x="0" y="9" width="${width}" height="12"/>${marks}</svg>`
}

function grouped(days: readonly DayRow[], most: number): readonly DayRow[] {
  const size = Math.ceil(days.length / most)
  if (size <= 1) return days
  return Array.from({ length: Math.ceil(days.length / size) }, (_, i) => {
    const some = days.slice(i * size, (i + 1) * size)
    const sum = (name: 'allowed' | 'denied') => some.reduce((total, day) => total + day[name], 0)
    return { day: some[0]?.day ?? '', allowed: sum('allowed'), denied: sum('denied') }
  })
}

export function number(value: number): string {
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 }).format(value)
}

export function shortened(text: string, most: number): string {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
