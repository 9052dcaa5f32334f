// The results as Markdown: the targets beside the figures, the peers, and what else was measured.

import { formatTarget, formatValue, judge, type Figure, type Section, type Verdict } from './figure.ts'
import type { MeasuredRow, Rounds } from './rounds.ts'
import type { Spread } from './statistics.ts'
import { ASKS } from './subjects.ts'

export interface Report {
  /** When, on what, how long. */
  readonly about: string
  readonly rounds: Rounds | null
  readonly sections: readonly Section[]
}

const MARK: Readonly<Record<Verdict, string>> = { met: '✔', near: '≈', missed: '✖' }

export function toMarkdown(report: Report): string {
  const { about, rounds, sections } = report
  const throughput = rounds === null ? [] : throughputLines(rounds)
  const others = sections.flatMap((section) => ['', `## ${section.title}`, '', ...sectionLines(section)])
  const legend = ['', `${MARK.met} met, ${MARK.near} missed by a tenth at most, ${MARK.missed} missed.`]
  const explained = figuresOf(report).length === 0 ? [] : legend
  return [`# Results`, '', about, ...explained, ...throughput, ...others, ''].join('\n')
}

/** All figures that have a target. */
export function figuresOf({ rounds, sections }: Report): readonly Figure[] {
  const ratios = (rounds?.rows ?? []).flatMap((row) => targetOf(row) ?? [])
  return [...ratios, ...sections.flatMap((section) => section.figures)]
}

function throughputLines({ bare, rows }: Rounds): readonly string[] {
  const ours = rows.filter(({ row }) => !isPeer(row.subject.program))
  const peers = rows.filter(({ row }) => isPeer(row.subject.program))
  const reference = `Bare Express 5: ${perSecond(bare.perSecond)} requests/s, ${micro(bare.cpuMicroseconds)} µs of CPU each.`
  return [
    '',
    '## Throughput beside bare Express',
    '',
    `${reference} Ratios are to bare Express in the same round: median (lowest – highest); “by CPU” is the ratio of processor time, which does not count what else the machine did.`,
    '',
    ...toTable(
      ['ours', 'sessions', 'request', 'ratio', 'target', '', 'by CPU', 'requests/s', 'CPU, µs'],
      ours.map(ourCells),
    ),
    '',
    ...toTable(['others', 'sessions', 'request', 'ratio', 'by CPU', 'requests/s', 'CPU, µs'], peers.map(peerCells)),
  ]
}

function isPeer(program: string): boolean {
  return program.startsWith('peers/')
}

function ourCells(measured: MeasuredRow): readonly string[] {
  const figure = targetOf(measured)
  const [target, mark] = figure === undefined ? ['', ''] : [formatTarget(figure), MARK[judge(figure)]]
  const [name, sessions, request, ratio, ...rest] = peerCells(measured)
  return [name ?? '', sessions ?? '', request ?? '', ratio ?? '', target, mark, ...rest]
}

function peerCells({ row, ratio, cpuRatio, perSecond: speed, cpuMicroseconds }: MeasuredRow): readonly string[] {
  const spread = `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} – ${ratio.max.toFixed(2)})`
  const cost = [cpuRatio.median.toFixed(2), perSecond(speed), micro(cpuMicroseconds)]
  return [row.label, count(row.subject.sessions), ASKS[row.path], spread, ...cost]
}

function targetOf({ row, ratio }: MeasuredRow): Figure | undefined {
  if (row.target === null) return undefined
  const what = `${row.label}, ${count(row.subject.sessions)} sessions, ${ASKS[row.path]}`
  return { what, value: ratio.median, unit: 'ratio', target: { atLeast: row.target } }
}

function sectionLines({ figures, lines }: Section): readonly string[] {
  const rows = figures.map((figure) => [
    figure.what,
    formatValue(figure.value, figure.unit),
    formatTarget(figure),
    MARK[judge(figure)],
  ])
  const table = rows.length === 0 ? [] : [...toTable(['what', 'measured', 'target', ''], rows), '']
  return [...table, ...lines]
}

function toTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

function perSecond({ median }: Spread): string {
  return count(Math.round(median))
}

function micro({ median }: Spread): string {
  return median.toFixed(0)
}

function count(value: number): string {
  return value.toLocaleString('en')
}
