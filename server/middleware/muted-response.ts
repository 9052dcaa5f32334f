// An answer that has been given by somebody else than the handler that still runs.

import type { ServerResponse } from 'node:http'
import { callBack } from './held-calls.ts'

/**
 * From here on the handler's calls do nothing. Without this its next `write` would be one after the end: an 'error'
 * event that nobody listens to, which ends the process.
 */
export function muteResponse(res: ServerResponse): void {
  // The shapes are those of the functions they stand in for; what they are given is ignored.
  res.write = ((...args: unknown[]) => {
    callBack(args)
    return true
  }) as ServerResponse['write']
  res.end = ((...args: unknown[]) => {
    callBack(args)
    return res
  }) as ServerResponse['end']
  res.flushHeaders = () => {}
  res.writeHead = () => res
  res.setHeader = () => res
  res.appendHeader = () => res
  res.removeHeader = () => {}
}
