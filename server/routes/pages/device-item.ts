// A session as the lists of pages show it.

import type { ListedSession } from '../../sessions/public-session.ts'
import { moment } from '../../views/moment.ts'
import type { DeviceItem } from '../../views/view-data.ts'

const HANDHELD = /\b(?:Android|iOS|iPhone|iPad|Mobile)\b/i

/** `session` seen from `now`. */
export function deviceItem(session: ListedSession, now: number): DeviceItem {
  const { id, current, device, ip } = session
  return {
    id,
    current,
    device,
    handheld: HANDHELD.test(device),
    ip,
    createdAt: moment(session.createdAt, now),
    lastSeenAt: moment(session.lastSeenAt, now),
    expiresAt: moment(session.expiresAt, now),
  }
}
