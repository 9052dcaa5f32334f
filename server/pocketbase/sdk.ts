// One SDK client per call or request. A shared one would mix up its users: its token store and its automatic
// cancelling of "the same" request are made for one browser.

import PocketBase, { BaseAuthStore } from 'pocketbase'
import { isIP } from 'node:net'
import type { Client } from './port.ts'

export interface SdkOptions {
  readonly url: string
  /** Deadline of each request in milliseconds. */
  readonly timeoutMs: number
  readonly client: Client
  /** Sent as Authorization. Never a superuser's. */
  readonly token?: string
}

const MAX_USER_AGENT = 300

/** An SDK client that speaks for one visitor: their token, address and User-Agent, and nobody else's. */
export function createSdk({ url, timeoutMs, client, token }: SdkOptions): PocketBase {
  const sdk = new PocketBase(url, new BaseAuthStore())
  sdk.autoCancellation(false)
  if (token !== undefined) sdk.authStore.save(token, null)
  const identity = identityHeaders(client)
  sdk.beforeSend = (target, options) => ({
    url: target,
    options: {
      ...options,
      headers: { ...options.headers, ...identity },
      // A redirect would carry the token to another host.
      redirect: 'error',
      signal: options.signal ?? AbortSignal.timeout(timeoutMs),
    },
  })
  sdk.afterSend = (response: Response, data: unknown) => {
    // The SDK takes whatever is below 400 as a success with an empty object.
    if (response.status < 400 && !isApiAnswer(response))
      throw new Error(`not an answer of PocketBase: ${response.status}`)
    return data
  }
  return sdk
}

/** Both end in PocketBase's rate limits, login alerts and logs, so they are what the browser sent, made harmless. */
function identityHeaders({ ip, userAgent }: Client): Record<string, string> {
  return {
    ...(isIP(ip) === 0 ? {} : { 'X-Real-IP': ip }),
    'User-Agent': userAgent.replace(/[^\x20-\x7e]/g, '').slice(0, MAX_USER_AGENT) || 'unknown',
  }
}

function isApiAnswer(response: Response): boolean {
  if (response.status === 204) return true
  return response.ok && (response.headers.get('content-type') ?? '').includes('json')
}
