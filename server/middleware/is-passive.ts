// Requests that are not the user's own doing do not keep a session alive: a tab that polls would never time out.

import type { Request } from 'express'

const STATUS_PATH = /\/auth\/status\/?(?:\?|$)/

/** Status polls, event streams, prefetches, and what says so itself (`X-Session-Activity: passive`). */
export function isPassive({ method, headers, originalUrl }: Request): boolean {
  if (headers['x-session-activity'] === 'passive') return true
  if (headers['sec-purpose'] !== undefined && /\bprefetch\b/.test(String(headers['sec-purpose']))) return true
  if (headers.accept !== undefined && headers.accept.startsWith('text/event-stream')) return true
  return (method === 'GET' || method === 'HEAD') && STATUS_PATH.test(originalUrl)
}
