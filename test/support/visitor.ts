// Somebody in a browser who registers, signs in and out, and notes in a ledger what was acknowledged.

import type { BrowserClient, SeenAnswer } from './browser-client.ts'
import type { Ledger } from './ledger.ts'
import { PASSWORD, sessionCookie } from './people.ts'

export class Visitor {
  readonly browser: BrowserClient
  readonly email: string
  readonly #ledger: Ledger

  constructor(browser: BrowserClient, email: string, ledger: Ledger) {
    this.browser = browser
    this.email = email
    this.#ledger = ledger
  }

  /** The display name is the address, so that a profile shows whose it is. */
  register(): Promise<SeenAnswer> {
    const profile = { displayName: this.email }
    const body = { email: this.email, password: PASSWORD, passwordConfirm: PASSWORD, profile }
    return this.#act('/auth/register', 201, body)
  }

  login(): Promise<SeenAnswer> {
    return this.#act('/auth/login', 200, { identity: this.email, password: PASSWORD })
  }

  logout(): Promise<SeenAnswer> {
    return this.#act('/auth/logout', 204)
  }

  /** Whether this browser's session was acknowledged, and nothing has begun since that ends it. */
  get isSignedIn(): boolean {
    return this.#ledger.isLive(sessionCookie(this.browser))
  }

  /** Each of these ends the session that the browser had. */
  async #act(path: string, success: number, body?: object): Promise<SeenAnswer> {
    await this.browser.csrfToken()
    const before = sessionCookie(this.browser)
    this.#ledger.uncertain(before)
    const answer = await this.browser.json(path, body)
    if (answer.status !== success) return answer
    this.#ledger.ended(before)
    const now = sessionCookie(this.browser)
    if (now !== undefined) this.#ledger.live(now, this.email)
    return answer
  }
}
