// A point in time as a page shows it: for machines, in words, and how far away it is. All in UTC, since a page
// without script cannot know the visitor's zone.

export interface Moment {
  /** For `<time datetime>`. */
  readonly iso: string
  /** "24 Nov 2026, 22:55 UTC". */
  readonly text: string
  /** "5 minutes ago", "in 2 hours". */
  readonly relative: string
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Describes `at` as seen from `now`, both in epoch milliseconds. */
export function moment(at: number, now: number): Moment {
  const date = new Date(at)
  const iso = date.toISOString()
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`
  return { iso, text: `${day}, ${iso.slice(11, 16)} UTC`, relative: relativeTo(at - now) }
}

function relativeTo(differenceMs: number): string {
  const distanceMs = Math.abs(differenceMs)
  if (distanceMs < MINUTE_MS) return differenceMs > 0 ? 'in a moment' : 'just now'
  const words = distance(distanceMs)
  return differenceMs > 0 ? `in ${words}` : `${words} ago`
}

function distance(distanceMs: number): string {
  if (distanceMs < HOUR_MS) return count(distanceMs / MINUTE_MS, 'minute')
  if (distanceMs < 2 * DAY_MS) return count(distanceMs / HOUR_MS, 'hour')
  return count(distanceMs / DAY_MS, 'day')
}

function count(amount: number, unit: string): string {
  const whole = Math.floor(amount)
  return `${whole} ${unit}${whole === 1 ? '' : 's'}`
}
