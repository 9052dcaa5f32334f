// One of two nodes over one store: it makes and ends sessions, or asks for them again and again until they are refused.
// Times are of the machine's monotonic clock, which both processes share, in milliseconds.

import { resolveConfig } from '../../server/config.ts'
import { StoreUnavailableError } from '../../server/errors.ts'
import { createServices } from '../../server/create-services.ts'
import type { LiveSession } from '../../server/sessions/live-session.ts'
import { benchOptions, draftOf } from './our-options.ts'
import { readTask } from './server-task.ts'

export type NodeRequest =
  | { readonly kind: 'create'; readonly count: number }
  | { readonly kind: 'end' }
  | NodeWatchRequest

interface NodeWatchRequest {
  readonly kind: 'watch'
  readonly cookies: readonly string[]
}

export interface Ending {
  readonly began: number
  readonly answered: number
}

export interface Refusal {
  /** When the last request that still passed began. */
  readonly lastPassBegan: number
  readonly refused: number
}

const services = await createServices(
  resolveConfig(benchOptions(readTask(), 'http://127.0.0.1:3000'), { production: false }),
)
const { sessions } = services
let made: readonly LiveSession[] = []
let users = 0

process.on('message', (request: NodeRequest) => void answer(request).then((reply) => process.send?.({ reply })))
process.on('disconnect', () => process.exit(0))
process.send?.({})

async function answer(request: NodeRequest): Promise<unknown> {
  if (request.kind === 'create') return create(request.count)
  if (request.kind === 'end') return Promise.all(made.map(end))
  // Each is seen alive first, and is in the cache where there is one.
  await Promise.all(request.cookies.map((cookie) => passes(cookie)))
  process.send?.({ watching: true })
  return Promise.all(request.cookies.map(watch))
}

async function create(count: number): Promise<readonly string[]> {
  made = await Promise.all(Array.from({ length: count }, async () => sessions.create(draftOf(users++))))
  return made.map(({ id }) => `session=${sessions.cookieValue(id)}`)
}

async function end(live: LiveSession): Promise<Ending> {
  const began = clock()
  while (!(await answered(async () => sessions.end(live, 'admin_revoked')))) continue
  return { began, answered: clock() }
}

async function watch(cookie: string): Promise<Refusal> {
  for (let lastPassBegan = 0; ;) {
    const began = clock()
    let isPassing = false
    const isKnown = await answered(async () => (isPassing = await passes(cookie)))
    if (isKnown && !isPassing) return { lastPassBegan, refused: clock() }
    if (isPassing) lastPassBegan = began
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A store that misses its deadline on a busy machine is asked again: that is a 503, neither an ending nor a refusal. */
async function answered(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    return false
  }
}

async function passes(cookie: string): Promise<boolean> {
  const reading = sessions.readCookie(cookie)
  if (reading.state !== 'valid') throw new Error('a cookie of ours was not read')
  return (await sessions.findByCookie(reading))?.live !== undefined
}

function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
