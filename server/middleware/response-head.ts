// Status and headers of an answer whose first byte has to wait.

import type { OutgoingHttpHeader, ServerResponse } from 'node:http'

/** Sets what `writeHead` was given, so that headers can still be added before they leave. */
export function applyHead(res: ServerResponse, args: readonly unknown[]): void {
  const [status, second, third] = args
  res.statusCode = Number(status)
  if (typeof second === 'string') res.statusMessage = second
  for (const [name, value] of headerEntries(typeof second === 'string' ? third : second)) res.setHeader(name, value)
}

/**
 * Notes status and headers as they are. The answer counts as sent from here on; what a handler that is still running
 * does to them (a 404 of its router, an error page) is undone by the function that this answers.
 */
export function freezeHead(res: ServerResponse): () => void {
  const { statusCode, statusMessage } = res
  const headers = res.getHeaders()
  return () => {
    res.statusCode = statusCode
    res.statusMessage = statusMessage
    for (const name of res.getHeaderNames()) if (headers[name] === undefined) res.removeHeader(name)
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined && res.getHeader(name) !== value) res.setHeader(name, value)
    }
  }
}

/** `writeHead` takes an object, a flat list of names and values, or a list of pairs; a name may stand twice in a list. */
function headerEntries(headers: unknown): Iterable<readonly [string, OutgoingHttpHeader]> {
  if (typeof headers !== 'object' || headers === null) return []
  if (!Array.isArray(headers)) {
    return Object.entries(headers as Record<string, OutgoingHttpHeader>) // what writeHead accepts
  }
  const pairs = Array.isArray(headers[0]) ? headers.flat() : headers
  const entries = new Map<string, string | string[]>()
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const [name, value] = [String(pairs[index]).toLowerCase(), String(pairs[index + 1])]
    const before = entries.get(name)
    entries.set(name, before === undefined ? value : [before, value].flat())
  }
  return entries
}
