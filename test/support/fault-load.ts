// Visitors who work without a pause while a test breaks the store, and what they were told: by which status, how late, and whether
// it is still true afterwards.

import { AssertionError } from 'node:assert'
import { setTimeout as delay } from 'node:timers/promises'
import type { StartedApp } from './app.ts'
import { BrowserClient, type SeenAnswer } from './browser-client.ts'
import type { Sent } from './http-client.ts'
import { inParallel, Ledger } from './ledger.ts'
import { newEmail } from './people.ts'
import { Visitor } from './visitor.ts'

export interface FaultLoad {
  /** Goes on until each visitor has got so many further answers to requests that began after this call. */
  untilAnswered(count: number): Promise<void>
  /** Goes on until each visitor has had so many good answers in a row. Answers when the last bad one came. */
  untilWell(count: number): Promise<number>
  /** The longest that an answer took so far. */
  longestMs(): number
  stop(): Promise<void>
  /** Ends the load, asks after everything that was acknowledged, and answers how it went. */
  finish(): Promise<FaultResult>
}

export interface FaultResult {
  readonly requests: number
  /** By status. */
  readonly statuses: Readonly<Record<string, number>>
  readonly longestMs: number
  readonly sessionsLost: number
  readonly sessionsRevived: number
  readonly writesLost: number
  /** Answers that must never be given, in words. */
  readonly violations: readonly string[]
  /** How much there was to lose. */
  readonly acknowledged: { readonly live: number; readonly ended: number }
}

const VISITORS = 8
const PAUSE_MS = 2
/** Nothing that is waited for here takes longer, if it comes at all. */
const LIMIT_MS = 30_000
/** The first are enough to see what is wrong. */
const MAX_VIOLATIONS = 5
/** What each visitor does by turns. Reading asserts that nothing acknowledged is gone. */
const TURNS = ['note', 'read', 'news', 'note', 'read', 'loginAgain', 'note', 'read', 'logout', 'news'] as const
/** Answers besides 503, by method and path. */
const GOOD: Readonly<Record<string, number>> = {
  'GET /news': 200,
  'GET /auth/csrf': 200,
  'GET /notes': 200,
  'PUT /notes/n': 200,
  'POST /auth/login': 200,
  'POST /auth/logout': 204,
  'POST /auth/register': 201,
}

/** An app with notes, whose visitors are signed in and at work when this resolves. */
export async function startFaultLoad(app: StartedApp): Promise<FaultLoad> {
  const ledger = new Ledger()
  const cookieName = app.services.config.cookie.name
  const watch = new Watch(cookieName)
  const visitors = Array.from({ length: VISITORS }, () => new Worker(app, ledger, watch))
  await Promise.all(visitors.map((visitor) => visitor.register()))
  for (const visitor of visitors) visitor.start()
  const each = async (isDone: (visitor: Worker) => boolean): Promise<void> => {
    const limit = performance.now() + LIMIT_MS
    while (!visitors.every(isDone)) {
      await Promise.race(visitors.map((visitor) => visitor.nextAnswer()))
      if (watch.isBroken) throw new Error(JSON.stringify(watch.result()))
      if (performance.now() > limit) throw new Error(`not so after ${LIMIT_MS} ms: ${JSON.stringify(watch.result())}`)
    }
  }
  const stop = async (): Promise<void> => void (await Promise.all(visitors.map((visitor) => visitor.stop())))
  return {
    async untilAnswered(count) {
      const before = new Map(visitors.map((visitor) => [visitor, visitor.begun]))
      await each((visitor) => visitor.answeredOf(before.get(visitor) ?? 0) >= count)
    },
    async untilWell(count) {
      for (const visitor of visitors) visitor.wellInARow = 0
      await each((visitor) => visitor.wellInARow >= count)
      return watch.lastBadAt
    },
    longestMs: () => watch.result().longestMs,
    stop,
    async finish() {
      await stop()
      const broken = await ledger.broken(app.url, cookieName)
      const revived = broken.filter((text) => text.startsWith('ended')).length
      await inParallel(visitors, (visitor) => visitor.readAll())
      return {
        ...watch.result(),
        sessionsLost: broken.length - revived,
        sessionsRevived: revived,
        acknowledged: { live: ledger.liveCount, ended: ledger.endedCount },
      }
    },
  }
}

/** Notes every answer. */
class Watch {
  lastBadAt = 0
  writesLost = 0
  readonly #statuses = new Map<number, number>()
  readonly #violations: string[] = []
  readonly #cookieName: string
  #requests = 0
  #longestMs = 0

  constructor(cookieName: string) {
    this.#cookieName = cookieName
  }

  /** Answers whether it is the one that a store without faults gives. */
  note(answer: SeenAnswer): boolean {
    const { method, path, status, headers, cookies, tookMs } = answer
    this.#requests += 1
    this.#longestMs = Math.max(this.#longestMs, tookMs)
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
    const what = `${method} ${path}`
    const isGood = status === GOOD[what]
    if (!isGood && status === 503) this.lastBadAt = performance.now()
    if (!isGood && (status !== 503 || path === '/news')) this.#forbid(`${what}: ${status} ${answer.text.slice(0, 200)}`)
    if (status === 503 && headers['retry-after'] === undefined) this.#forbid(`${what}: no Retry-After`)
    const ofSession = cookies.filter((line) => line.startsWith(`${this.#cookieName}=`))
    if (status !== 204 && ofSession.some(clears)) this.#forbid(`${what}: ${status} clears the cookie`)
    if (status === 503 && cookies.length > 0) this.#forbid(`${what}: 503 with a cookie`)
    return isGood
  }

  get isBroken(): boolean {
    return this.#violations.length > 0
  }

  #forbid(what: string): void {
    if (this.#violations.length < MAX_VIOLATIONS) this.#violations.push(what)
  }

  result() {
    return {
      requests: this.#requests,
      statuses: Object.fromEntries(this.#statuses),
      longestMs: Math.round(this.#longestMs),
      violations: this.#violations,
      writesLost: this.writesLost,
    }
  }
}

function clears(line: string): boolean {
  return /max-age=0|expires=thu, 01 jan 1970/i.test(line)
}

/** A browser that tells of each answer. */
class WatchedBrowser extends BrowserClient {
  onSend = (): void => {}
  onAnswer = (_answer: SeenAnswer): void => {}

  override async send(path: string, sent: Sent = {}): Promise<SeenAnswer> {
    this.onSend()
    const answer = await super.send(path, sent)
    this.onAnswer(answer)
    return answer
  }
}

class Worker {
  /** Requests so far; they are sent one after the other. */
  begun = 0
  wellInARow = 0
  readonly #visitor: Visitor
  readonly #watch: Watch
  #answered = 0
  #next = Promise.withResolvers<void>()
  #isRunning = false
  #work: Promise<void> | undefined
  #turn = 0

  constructor(app: StartedApp, ledger: Ledger, watch: Watch) {
    const browser = new WatchedBrowser(app.url, { origin: app.origin })
    browser.onSend = () => {
      this.begun += 1
    }
    browser.onAnswer = (answer) => {
      this.#answered = this.begun
      this.wellInARow = watch.note(answer) ? this.wellInARow + 1 : 0
      this.#next.resolve()
      this.#next = Promise.withResolvers()
      browser.answers.length = Math.min(browser.answers.length, 1)
      browser.answers[0] = answer
    }
    this.#visitor = new Visitor(browser, newEmail('worker'), ledger)
    this.#watch = watch
  }

  nextAnswer(): Promise<void> {
    return this.#next.promise
  }

  /** How many of the requests after the first so many were answered. */
  answeredOf(begun: number): number {
    return this.#answered - begun
  }

  async register(): Promise<void> {
    const { status, text } = await this.#visitor.register()
    if (status !== 201) throw new Error(`not registered: ${status} ${text}`)
  }

  start(): void {
    this.#isRunning = true
    this.#work = this.#loop()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    await this.#work
  }

  async readAll(): Promise<void> {
    if (this.#visitor.isSignedIn) await this.#read()
  }

  async #loop(): Promise<void> {
    while (this.#isRunning) {
      await this.#step()
      await delay(PAUSE_MS)
    }
  }

  async #step(): Promise<void> {
    this.#turn += 1
    const turn = TURNS[this.#turn % TURNS.length]
    if (turn === 'news') await this.#visitor.browser.get('/news')
    else if (!this.#visitor.isSignedIn || turn === 'loginAgain') await this.#visitor.login()
    else if (turn === 'note') await this.#visitor.note('n', `text ${this.#turn}`)
    else if (turn === 'logout') await this.#visitor.logout()
    else await this.#read()
  }

  async #read(): Promise<void> {
    try {
      await this.#visitor.readNotes()
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error
      this.#watch.writesLost += 1
    }
  }
}
