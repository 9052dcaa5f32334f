// One of many users at once: does what users do, asserts each answer, and keeps what was acknowledged.

import assert from 'node:assert/strict'
import type { StartedApp } from './app.ts'
import type { BrowserClient, SeenAnswer } from './browser-client.ts'
import { sessionCookie } from './people.ts'

const NOTES = ['a', 'b']

interface Device {
  readonly browser: BrowserClient
  readonly notes: Map<string, unknown>
}

export class BusyUser {
  readonly email: string
  displayName: string
  id = ''
  readonly #app: StartedApp
  readonly #n: number
  readonly #mark: string
  #password: string
  #round = 0
  /** Those that are signed in. The first is the one in use. */
  #devices: Device[] = []
  readonly #browsers: BrowserClient[] = []
  /** Cookies of sessions that have ended, as acknowledged. */
  readonly #ended: string[] = []

  constructor(app: StartedApp, n: number, run: string) {
    this.#app = app
    this.#n = n
    this.#mark = `${run}-${n}-mark`
    this.email = `${run}-${n}@load.example`
    this.displayName = this.#mark
    this.#password = `password of ${run} ${n}`
  }

  /** Words that no answer to anybody else may contain. */
  marks(): readonly string[] {
    return [this.email, this.id, this.#mark]
  }

  answers(): readonly SeenAnswer[] {
    return this.#browsers.flatMap(({ answers }) => answers)
  }

  async register(): Promise<void> {
    const device = this.#newDevice()
    const answer = await device.browser.register(this.email, this.#password, { displayName: this.displayName })
    assert.equal(answer.status, 201, answer.text)
    this.id = userOf(answer).id
    this.#devices.push(device)
  }

  /** Requests of one browser side by side: pages, status, devices, notes and a counter in `req.session`, the profile. */
  async work(): Promise<void> {
    const [device] = this.#devices
    assert.ok(device)
    const { browser } = device
    this.#round += 1
    await browser.csrfToken()
    await Promise.all([
      browser.page('/account').then((answer) => this.#assertMine(answer)),
      browser.get('/auth/status').then((answer) => this.#assertMine(answer)),
      browser.get('/auth/sessions').then((answer) => this.#assertDevices(answer)),
      browser.page('/').then(({ status }) => assert.equal(status, 200)),
      browser.get('/news').then(({ status }) => assert.equal(status, 200)),
      ...NOTES.map((name) => this.#write(device, name)),
      ...NOTES.map(() => this.#count(device)),
      this.#n % 2 === 0 ? this.#rename(browser) : this.#assertNotes(device),
    ])
  }

  /** What ends sessions or replaces them: another thing for each fourth user. */
  async change(): Promise<void> {
    const [first] = this.#devices
    assert.ok(first)
    const changes = [this.#changePassword, this.#signOutAndIn, this.#endOtherDevice, this.#signInAgain] as const
    await changes[this.#n % changes.length]?.call(this, first)
  }

  async assertAsAcknowledged(): Promise<void> {
    for (const device of this.#devices) {
      this.#assertMine(await device.browser.get('/auth/status'))
      const { email, notes } = (await device.browser.get('/notes')).json()
      assert.deepEqual({ email, notes }, { email: this.email, notes: Object.fromEntries(device.notes) })
    }
    const name = this.#app.services.config.cookie.name
    for (const value of this.#ended) {
      const answer = await this.#app.browser({ Cookie: `${name}=${value}` }).get('/auth/status')
      assert.equal(answer.json()['authenticated'], false)
    }
  }

  async #changePassword(first: Device): Promise<void> {
    const other = await this.#signIn()
    const password = `${this.#password}, changed`
    await this.#end(first, 'password', { currentPassword: this.#password, password, passwordConfirm: password })
    this.#devices = [first]
    this.#password = password
    this.#note(other.browser)
  }

  async #signOutAndIn(first: Device): Promise<void> {
    await this.#end(first, 'logout')
    this.#devices = []
    const page = await first.browser.page('/account')
    assert.deepEqual([page.status, page.headers.location], [303, '/login?returnTo=%2Faccount'])
    await this.#signIn(first.browser)
  }

  async #endOtherDevice(first: Device): Promise<void> {
    const other = await this.#signIn()
    const { sessions } = (await first.browser.get('/auth/sessions')).json() as {
      readonly sessions: readonly { readonly id: string; readonly current: boolean }[]
    }
    const id = sessions.find(({ current }) => !current)?.id
    const answer = await first.browser.json(`/auth/sessions/${id}`, undefined, { method: 'DELETE' })
    assert.equal(answer.status, 204, answer.text)
    this.#note(other.browser)
    this.#devices = [first]
  }

  /** A new session in the same browser holds nothing of the old one. */
  async #signInAgain(first: Device): Promise<void> {
    this.#note(first.browser)
    this.#devices = []
    await this.#signIn(first.browser)
  }

  async #signIn(browser?: BrowserClient): Promise<Device> {
    const device = this.#newDevice(browser)
    const answer = await device.browser.login(this.email, this.#password)
    assert.equal(answer.status, 200, answer.text)
    assert.equal(userOf(answer).id, this.id)
    this.#devices.push(device)
    return device
  }

  /** A request that ends the session that the browser had. */
  async #end({ browser }: Device, flow: string, body?: object): Promise<void> {
    const before = sessionCookie(browser)
    const answer = await browser.json(`/auth/${flow}`, body)
    assert.equal(answer.status, 204, answer.text)
    if (before !== undefined) this.#ended.push(before)
    assert.notEqual(sessionCookie(browser), before)
  }

  async #write({ browser, notes }: Device, name: string): Promise<void> {
    const text = `${this.#mark} ${this.#round}${name}`
    this.#assertMine(await browser.json(`/notes/${name}`, { text }, { method: 'PUT' }))
    notes.set(name, text)
  }

  async #count({ browser, notes }: Device): Promise<void> {
    this.#assertMine(await browser.json('/notes/count'))
    notes.set('count', Number(notes.get('count') ?? 0) + 1)
  }

  async #rename(browser: BrowserClient): Promise<void> {
    const displayName = `${this.#mark} ${this.#round}`
    const answer = await browser.json('/auth/profile', { displayName }, { method: 'PATCH' })
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(answer.json()['profile'], { displayName, bio: '' })
    this.displayName = displayName
  }

  /** Other requests of this browser write meanwhile: what was acknowledged before is there, in this or a later state. */
  async #assertNotes({ browser, notes }: Device): Promise<void> {
    const before = [...notes.keys()]
    const answer = await browser.get('/notes')
    this.#assertMine(answer)
    const seen = answer.json()['notes'] as Record<string, unknown>
    for (const name of before) assert.ok(Object.hasOwn(seen, name), `${name} is lost`)
  }

  #assertMine(answer: SeenAnswer): void {
    assert.equal(answer.status, 200, answer.text)
    assert.ok(answer.text.includes(this.email), `${answer.path}: ${answer.text}`)
  }

  #assertDevices(answer: SeenAnswer): void {
    assert.equal(answer.status, 200, answer.text)
    const { sessions } = answer.json() as { readonly sessions: readonly object[] }
    assert.equal(sessions.length, this.#devices.length)
  }

  #newDevice(browser = this.#app.browser()): Device {
    if (!this.#browsers.includes(browser)) this.#browsers.push(browser)
    return { browser, notes: new Map() }
  }

  /** The session of this browser has ended, or is about to. */
  #note(browser: BrowserClient): void {
    const value = sessionCookie(browser)
    if (value !== undefined) this.#ended.push(value)
  }
}

function userOf(answer: SeenAnswer): { readonly id: string; readonly email: string } {
  return answer.json()['user'] as { readonly id: string; readonly email: string }
}
