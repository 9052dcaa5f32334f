// One person on the whole product: registers, signs in, works, signs out.

import { setTimeout as delay } from 'node:timers/promises'
import { BrowserClient, type SeenAnswer } from '../test/support/browser-client.ts'

/** What one request was: `password` where PocketBase hashes one, `other` else. */
export type RequestKind = 'password' | 'other'

export interface UserLog {
  /** Milliseconds by kind. */
  readonly latencies: Readonly<Record<RequestKind, number[]>>
  /** Answers that sent the person away for a while (503 or 429 with Retry-After). */
  later: number
  /** What else was not as expected: `POST /auth/login: 500`. */
  readonly errors: string[]
}

const REQUESTS = 20
const PASSWORD = 'correct horse'
const MAX_TRIES = 60

export function emptyLog(): UserLog {
  return { latencies: { password: [], other: [] }, later: 0, errors: [] }
}

/** Each person has an address of their own, as a proxy would report it. */
export async function useProduct(url: string, n: number, log: UserLog): Promise<void> {
  const browser = new BrowserClient(url, { headers: { 'X-Forwarded-For': `198.18.${n >> 8}.${n & 255}` } })
  const email = `user${n}@bench.example`
  const ask = (kind: RequestKind, expected: number, send: () => Promise<SeenAnswer>): Promise<void> =>
    timed({ kind, expected, log }, send)
  await ask('password', 201, () => browser.register(email, PASSWORD))
  await ask('other', 204, () => browser.json('/auth/logout'))
  await ask('password', 200, () => browser.login(email, PASSWORD))
  for (let request = 0; request < REQUESTS; request += 1) await ask('other', 200, () => mixed(browser, request))
  await ask('other', 204, () => browser.json('/auth/logout'))
}

/** Pages and answers for scripts, and one in five that writes. */
function mixed(browser: BrowserClient, request: number): Promise<SeenAnswer> {
  const some = [
    () => browser.page('/account'),
    () => browser.get('/auth/status'),
    () => browser.get('/auth/sessions'),
    () => browser.page('/'),
    () => browser.json('/auth/profile', { displayName: `Name ${request}` }, { method: 'PATCH' }),
  ]
  return some[request % some.length]?.() ?? browser.page('/')
}

interface Timed {
  readonly kind: RequestKind
  readonly expected: number
  readonly log: UserLog
}

/** Comes again when told to, as a patient person does; each try is timed by itself. */
async function timed({ kind, expected, log }: Timed, send: () => Promise<SeenAnswer>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const before = performance.now()
    const { status, headers, method, path } = await send()
    const retryAfter = Number(headers['retry-after'])
    if (status === expected) {
      log.latencies[kind].push(performance.now() - before)
      return
    }
    if (!(retryAfter > 0) || tries === MAX_TRIES) {
      log.errors.push(`${method} ${path}: ${status}`)
      return
    }
    log.later += 1
    await delay(retryAfter * 1000)
  }
}
