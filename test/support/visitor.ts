// Somebody in a browser who registers, signs in and out and writes notes, and keeps in a ledger what was acknowledged.

import assert from 'node:assert/strict'
import type { BrowserClient, SeenAnswer } from './browser-client.ts'
import type { Ledger } from './ledger.ts'
import { PASSWORD, sessionCookie } from './people.ts'

export class Visitor {
  readonly browser: BrowserClient
  readonly email: string
  readonly #ledger: Ledger
  /** By name, what a note of this session may say: one text, and others whose writing failed, since that may be for the answer only. */
  #notes = new Map<string, Set<unknown>>()

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

  /** Changes `req.session`, in an app that has notes. */
  async note(name: string, text: string): Promise<SeenAnswer> {
    const refused = await this.#csrfRefused()
    if (refused !== null) return refused
    const possible = this.#notes.get(name) ?? new Set([undefined])
    this.#notes.set(name, possible.add(text))
    const answer = await this.browser.json(`/notes/${name}`, { text }, { method: 'PUT' })
    if (answer.status === 200) this.#notes.set(name, new Set([text]))
    return answer
  }

  /** Each note says what was acknowledged last. */
  async assertNotes(): Promise<void> {
    const answer = await this.readNotes()
    assert.equal(answer.status, 200, answer.text)
  }

  /** As far as they can be read, each says what was acknowledged last. */
  async readNotes(): Promise<SeenAnswer> {
    const answer = await this.browser.get('/notes')
    if (answer.status === 200) this.#assertNotes(answer)
    return answer
  }

  #assertNotes(answer: SeenAnswer): void {
    const { email, notes } = answer.json() as {
      readonly email: string
      readonly notes: Readonly<Record<string, unknown>>
    }
    assert.equal(email, this.email)
    for (const name of new Set([...Object.keys(notes), ...this.#notes.keys()])) {
      assert.ok(this.#notes.get(name)?.has(notes[name]), `note ${name} of ${email} says ${String(notes[name])}`)
    }
  }

  /** Each of these ends the session that the browser had. */
  async #act(path: string, success: number, body?: object): Promise<SeenAnswer> {
    const refused = await this.#csrfRefused()
    if (refused !== null) return refused
    const before = sessionCookie(this.browser)
    this.#ledger.uncertain(before)
    const answer = await this.browser.json(path, body)
    if (answer.status !== success) return answer
    this.#ledger.ended(before)
    const now = sessionCookie(this.browser)
    if (now !== undefined) this.#ledger.live(now, this.email)
    this.#notes = new Map()
    return answer
  }

  /** The answer to somebody who could get no token, and so has begun nothing. */
  async #csrfRefused(): Promise<SeenAnswer | null> {
    const token = await this.browser.csrfToken()
    return token === '' ? (this.browser.answers.at(-1) ?? null) : null
  }
}
