// A request whose head the server has read and whose body it still waits for.

import { request as httpRequest } from 'node:http'
import type { BrowserClient } from './browser-client.ts'

export interface HeldAnswer {
  readonly status: number
  /** The lines of Set-Cookie. */
  readonly cookies: readonly string[]
  readonly text: string
}

export interface HeldRequest {
  /** Sends the body and waits for the answer. */
  finish(): Promise<HeldAnswer>
}

/** Resolves when the server has taken it and says that it wants the body. */
export async function holdRequest(
  browser: BrowserClient,
  path: string,
  { method = 'POST', body }: { readonly method?: string; readonly body: object },
): Promise<HeldRequest> {
  const text = JSON.stringify(body)
  const csrfToken = await browser.csrfToken()
  const { hostname, port } = new URL(browser.url)
  const headers = {
    Accept: 'application/json',
    Origin: browser.origin,
    Cookie: browser.cookieHeader(path),
    'X-CSRF-Token': csrfToken,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    Expect: '100-continue',
  }
  const req = httpRequest({ hostname, port, path, method, headers, agent: false })
  const continued = new Promise<void>((resolve, reject) => req.once('continue', resolve).once('error', reject))
  const answered = new Promise<HeldAnswer>((resolve, reject) => {
    req.once('error', reject)
    req.once('response', (res) => {
      let received = ''
      res.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
      res.once('error', reject)
      res.once('end', () =>
        resolve({ status: res.statusCode ?? 0, cookies: res.headers['set-cookie'] ?? [], text: received }),
      )
    })
  })
  answered.catch(() => undefined) // whoever waits for the answer hears of it
  req.flushHeaders()
  await continued
  return {
    finish() {
      req.end(text)
      return answered
    },
  }
}
