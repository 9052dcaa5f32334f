// Durations as people write them in the environment: `500ms`, `30s`, `30m`, `12h`, `14d`.

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of a duration like `30m`; `undefined` where it is none. A number without a unit is refused: nobody agrees on it. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text.trim())
  const amount = match?.[1]
  const unit = match?.[2]
  if (amount === undefined || unit === undefined) return undefined
  // The pattern allows these units only.
  return Number(amount) * UNITS[unit as keyof typeof UNITS]
}

/** The shortest exact spelling of a duration: 7200000 → `2h`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms >= UNITS[unit] && ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`
  }
  return `${ms}ms`
}
