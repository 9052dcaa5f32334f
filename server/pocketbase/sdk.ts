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
      fetch: fetchWhole,
    },
  })
  return sdk
}

/** Both end in PocketBase's rate limits, login alerts and logs, so they are what the browser sent, made harmless. */
function identityHeaders({ ip, userAgent }: Client): Record<string, string> {
  return {
    ...(isIP(ip) === 0 ? {} : { 'X-Real-IP': ip }),
    'User-Agent': userAgent.replace(/[^\x20-\x7e]/g, '').slice(0, MAX_USER_AGENT) || 'unknown',
  }
}

/**
 * The SDK takes whatever is below 400 as a success, with an empty object where the body is cut or no JSON. So the
 * body is read and checked before the SDK sees it; a bad one is a failure to ask.
 */
async function fetchWhole(url: Parameters<typeof fetch>[0], options?: RequestInit): Promise<Response> {
  const response = await fetch(url, options)
  const text = await response.text()
  const { status, headers } = response
  if (status === 204) return new Response(null, { status, headers })
  if (status < 400) {
    if (!response.ok || !isJson(text)) throw new Error(`not an answer of PocketBase: ${status}`)
  }
  return new Response(text, { status, headers })
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false // the parser's message would quote the text, which may hold a token
  }
}
