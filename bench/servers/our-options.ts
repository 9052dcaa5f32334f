// How the product is set up for the benchmark: as in an app, but with sessions made without a PocketBase.

import type { AuthOptions } from '../../server/config.ts'
import type { SessionDraft } from '../../server/sessions/draft.ts'
import { contentOf } from '../session-content.ts'
import type { ServerTask } from './server-task.ts'

/** Not a secret: it protects the sessions of made-up people on this machine. */
export const BENCH_SECRET = 'bench-only-Vn4c8Kx1Lm5Rt7Wb9Yd2Hf4Jg6NcPs'

type OurTask = Pick<ServerTask, 'store' | 'cache' | 'pocketbase'>

const NOBODY = 'http://127.0.0.1:9'
const DAY_MS = 86_400_000
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

export function benchOptions({ store, cache, pocketbase }: OurTask, origin: string): AuthOptions {
  return {
    ...(cache === undefined ? {} : { cache }),
    pocketbase: pocketbase ?? NOBODY,
    // What a request costs when PocketBase has confirmed the session less than half a minute ago.
    revalidate: { intervalMs: DAY_MS, maxStaleMs: DAY_MS },
    origin,
    secret: BENCH_SECRET,
    store,
    cookie: { name: 'session' },
    logger: SILENT,
  }
}

export function draftOf(n: number): SessionDraft {
  const { user, token, data } = contentOf(n)
  return {
    data,
    signedIn: { user, token, tokenExpiresAt: Date.now() + DAY_MS, collection: 'users', amr: ['pwd'] },
    remembered: false,
    device: 'Firefox on Linux',
    ip: '192.0.2.0',
  }
}
