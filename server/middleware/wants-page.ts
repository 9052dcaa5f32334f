// Whether a request comes from somebody who looks at pages, or from a program.

import type { IncomingMessage } from 'node:http'

/** Names `text/html` in Accept (a wildcard is not enough) and, where a browser says how it asks, navigates. */
export function wantsPage(req: IncomingMessage): boolean {
  const mode = req.headers['sec-fetch-mode']
  if (mode !== undefined && mode !== 'navigate') return false
  return (req.headers.accept ?? '').split(',').some(isHtml)
}

function isHtml(range: string): boolean {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
  return type === 'text/html' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
}
