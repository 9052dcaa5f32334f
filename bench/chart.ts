// The throughput rows as an SVG: one bar each, with the lowest and the highest round as a thin line.

import type { MeasuredRow } from './rounds.ts'
import { ASKS } from './subjects.ts'

const WIDTH = 960
const LABEL_WIDTH = 440
const BAR_HEIGHT = 16
const ROW_HEIGHT = 24
const TOP = 56
/** Where the noise of a round puts something ahead of bare Express, its line ends here. */
const MAX_SHARE = 1.1
const SCALE = (WIDTH - LABEL_WIDTH - 50) / MAX_SHARE

/** Readable on a light and on a dark page. */
const STYLE = `text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:15px}.grid{stroke:#8c959f;stroke-opacity:.35}
.ours{fill:#2f81f7}.peer{fill:#8c959f}.spread{stroke:#24292f;stroke-opacity:.7}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.spread{stroke:#e6edf3}}`

export function toChart(rows: readonly MeasuredRow[]): string {
  const height = TOP + rows.length * ROW_HEIGHT + 12
  const title = 'Requests per second as a share of bare Express 5 (median; line: lowest to highest round)'
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="12" y="22">${title}</text>`,
    ...[0, 0.25, 0.5, 0.75, 1].map((share) => gridLine(share, height)),
    ...rows.map(bar),
    '</svg>',
    '',
  ].join('\n')
}

function gridLine(share: number, height: number): string {
  const x = toX(share)
  return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${height - 8}"/><text x="${x}" y="${TOP - 12}" text-anchor="middle">${share}</text>`
}

function bar({ row, ratio }: MeasuredRow, index: number): string {
  const y = TOP + index * ROW_HEIGHT
  const kind = row.subject.program.startsWith('peers/') ? 'peer' : 'ours'
  const asks = row.path === '/me' ? '' : `, ${ASKS[row.path]}`
  const label = `${row.label}, ${row.subject.sessions.toLocaleString('en')} sessions${asks}`
  const middle = y + BAR_HEIGHT / 2
  return [
    `<text x="${LABEL_WIDTH - 10}" y="${y + 13}" text-anchor="end">${escape(label)}</text>`,
    `<rect class="${kind}" x="${LABEL_WIDTH}" y="${y}" width="${(Math.min(ratio.median, MAX_SHARE) * SCALE).toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<line class="spread" x1="${toX(ratio.min)}" x2="${toX(ratio.max)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${toX(Math.max(ratio.median, ratio.max)) + 6}" y="${y + 13}">${ratio.median.toFixed(2)}</text>`,
  ].join('')
}

function toX(share: number): number {
  return Math.round(LABEL_WIDTH + Math.min(share, MAX_SHARE) * SCALE)
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
