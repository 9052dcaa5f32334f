// Very many sessions in one SQLite file: what a look-up takes, and what each step of deleting expired ones takes.

import { openStore } from '../../server/stores/open.ts'
import { isCopyable, type StoreEntry } from '../../server/sessions/copyable-store.ts'
import { buildSession } from '../../server/sessions/draft.ts'
import { Secrets } from '../../server/sessions/secrets.ts'
import { createHandle, createSessionId, sessionKey } from '../../server/sessions/session-id.ts'
import type { Store } from '../../server/sessions/store.ts'
import { Sessions } from '../../server/sessions/manager.ts'
import { resolveConfig } from '../../server/config.ts'
import { percentile } from '../statistics.ts'
import { benchOptions, draftOf, BENCH_SECRET } from './our-options.ts'
import { userId } from '../session-content.ts'
import { readTask } from './server-task.ts'

export interface MillionResult {
  readonly findP50Ms: number
  readonly findP99Ms: number
  readonly deleted: number
  readonly stepP50Ms: number
  readonly longestStepMs: number
}

const PAGE = 2000
const FINDS = 100_000
const EXPIRED_ONE_IN = 10
const LONG_AGO = Date.now() - 30 * 86_400_000

const task = readTask()
const config = resolveConfig(benchOptions(task, 'http://127.0.0.1:3000'), { production: false })
const secrets = new Secrets([BENCH_SECRET])
const store = await openStore(task.store)
await store.open()
const keys = await fill(store, task.sessions)
const finds = await timeFinds(store, keys)
const steps: number[] = []
timeSteps(store, steps)
const deleted = await sweeper(store).sweep()
await store.close()
const result: MillionResult = {
  findP50Ms: percentile(finds, 0.5),
  findP99Ms: percentile(finds, 0.99),
  deleted,
  stepP50Ms: percentile(steps, 0.5),
  longestStepMs: Math.max(...steps),
}
process.send?.(result)
process.on('disconnect', () => process.exit(0))

/** Copies of one record under other ids: sealing each would take long, and the store never looks inside. */
async function fill(into: Store, count: number): Promise<readonly string[]> {
  if (!isCopyable(into)) throw new TypeError('the store takes no sessions in bulk')
  const { record } = buildSession(draftOf(0), { secrets, policy: config.session, now: Date.now() })
  const made: string[] = []
  while (made.length < count) {
    const page = Array.from({ length: PAGE }, (_, index): StoreEntry => {
      const n = made.length + index
      const expiresAt = n % EXPIRED_ONE_IN === 0 ? LONG_AGO : record.expiresAt
      const own = { key: sessionKey(createSessionId()), handle: createHandle(), userId: userId(n), expiresAt }
      return { kind: 'session', record: { ...record, ...own }, ended: null }
    })
    await into.importEntries(page, Date.now())
    for (const entry of page) if (entry.kind === 'session') made.push(entry.record.key)
  }
  return made
}

/** In an order in which no page of the file comes twice in a row. */
async function timeFinds(from: Store, among: readonly string[]): Promise<readonly number[]> {
  const times: number[] = []
  for (let n = 0; n < FINDS; n += 1) {
    const key = among[(n * 7_368_787) % among.length] ?? ''
    const before = performance.now()
    await from.find(key, Date.now())
    times.push(performance.now() - before)
    // Others have their turn, as between requests.
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return times
}

/** Notes how long each step of the sweep takes. */
function timeSteps(of: Store, into: number[]): void {
  const deleteExpired = of.deleteExpired.bind(of)
  of.deleteExpired = (now, limit) => {
    const before = performance.now()
    const gone = deleteExpired(now, limit)
    // What blocks is the call itself, whatever it answers later.
    into.push(performance.now() - before)
    return gone
  }
}

function sweeper(over: Store): Sessions {
  const { cookie, session: policy, storeTimeoutMs: timeoutMs, now } = config
  return new Sessions({
    store: over,
    secrets,
    policy,
    cookieName: cookie.name,
    timeoutMs,
    now,
    report: () => undefined,
  })
}
