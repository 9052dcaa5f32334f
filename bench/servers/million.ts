// Very many sessions in one SQLite file: what a look-up takes, and what each step of deleting expired ones takes.

import { DatabaseSync } from 'node:sqlite'
import { openStore } from '../../server/stores/open.ts'
import { buildSession } from '../../server/sessions/draft.ts'
import { Secrets } from '../../server/sessions/secrets.ts'
import { createSessionId, sessionKey } from '../../server/sessions/session-id.ts'
import type { Store } from '../../server/sessions/store.ts'
import { Sessions } from '../../server/sessions/manager.ts'
import { resolveConfig } from '../../server/config.ts'
import { percentile } from '../statistics.ts'
import { benchOptions, draftOf, BENCH_SECRET } from './our-options.ts'
import { userId } from '../session-content.ts'
import { readTask, type ServerTask } from './server-task.ts'

export interface MillionResult {
  readonly findP50Ms: number
  readonly findP99Ms: number
  readonly deleted: number
  readonly stepP50Ms: number
  readonly longestStepMs: number
}

const FINDS = 100_000
const EXPIRED_ONE_IN = 10
const LONG_AGO = Date.now() - 30 * 86_400_000

const task = readTask()
const config = resolveConfig(benchOptions(task, 'http://127.0.0.1:3000'), { production: false })
const secrets = new Secrets([BENCH_SECRET])
const keys = await fill(task)
const store = await openStore(task.store)
await store.open()
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

/** Copies of one row under other ids, in one transaction: a million commits would take longer and end the same. */
async function fill({ store: url, sessions: count }: ServerTask): Promise<readonly string[]> {
  const first = await openStore(url)
  await first.open()
  const { record } = buildSession(draftOf(0), { secrets, policy: config.session, now: Date.now() })
  await first.create(record)
  await first.close()
  const db = new DatabaseSync(url.slice('sqlite:'.length))
  db.exec('PRAGMA synchronous = OFF; BEGIN')
  const row = db.prepare('SELECT * FROM sessions').get() ?? {}
  const names = Object.keys(row)
  const insert = db.prepare(`INSERT INTO sessions VALUES (${names.map((name) => `:${name}`).join()})`)
  const made = Array.from({ length: count }, () => sessionKey(createSessionId()))
  for (const [n, key] of made.entries()) {
    const expires_at = n % EXPIRED_ONE_IN === 0 ? LONG_AGO : record.expiresAt
    insert.run({ ...row, key, handle: `handle ${n}`, user_id: userId(n), expires_at })
  }
  db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
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
