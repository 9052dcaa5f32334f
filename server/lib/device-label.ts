// A coarse name for a device, "Firefox on Linux": enough to recognise one's own, too little to track anybody.

import Bowser from 'bowser'

const UNKNOWN = 'Unknown device'
/** Parsing is by regular expressions; a longer header tells no more and costs time. */
const MAX_HEADER = 512

/** Label of a User-Agent header. Never throws; what cannot be told is "Unknown device". */
export function deviceLabel(userAgent: string | undefined): string {
  const header = (userAgent ?? '').slice(0, MAX_HEADER).trim()
  if (header === '') return UNKNOWN
  const { browser, os } = Bowser.parse(header)
  if (!browser.name) return os.name ?? UNKNOWN
  return os.name ? `${browser.name} on ${os.name}` : browser.name
}
