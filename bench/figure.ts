// A measured value beside its target.

export interface Figure {
  readonly what: string
  readonly value: number
  /** How the value is written: `ratio` 0.90, the others with their unit. */
  readonly unit: 'ratio' | 'times' | 'ms' | 'bytes' | 'passes'
  readonly target: { readonly atLeast: number } | { readonly atMost: number }
}

/** What one part of the benchmark found. */
export interface Section {
  readonly title: string
  readonly figures: readonly Figure[]
  /** Markdown: what there is to say beside the figures. */
  readonly lines: readonly string[]
}

/** `near`: missed, but by no more than a tenth, which the noise of a machine may do. */
export type Verdict = 'met' | 'near' | 'missed'

const TOLERANCE = 0.1

export function judge({ value, target }: Figure): Verdict {
  // Where something must not happen at all there is no "nearly".
  if ('atMost' in target) return grade(value <= target.atMost, value <= target.atMost * (1 + TOLERANCE))
  return grade(value >= target.atLeast, value >= target.atLeast * (1 - TOLERANCE))
}

export function formatValue(value: number, unit: Figure['unit']): string {
  if (unit === 'ratio') return value.toFixed(2)
  if (unit === 'times') return `${value.toFixed(2)}×`
  if (unit === 'ms') return `${value < 1 ? value.toFixed(3) : value.toFixed(1)} ms`
  if (unit === 'bytes') return `${Math.round(value)} bytes`
  return String(value)
}

export function formatTarget({ target, unit }: Figure): string {
  return 'atMost' in target ? `≤ ${formatValue(target.atMost, unit)}` : `≥ ${formatValue(target.atLeast, unit)}`
}

function grade(isMet: boolean, isNear: boolean): Verdict {
  if (isMet) return 'met'
  return isNear ? 'near' : 'missed'
}
