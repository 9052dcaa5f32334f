// A PocketBase as in production, bcrypt cost included, that leaves the load generator its turn on the core they share.

import { readdirSync } from 'node:fs'
import { setPriority } from 'node:os'
import { startPocketBase, type TestPocketBase } from '../test/support/pocketbase.ts'

const BCRYPT_COST = 10
const NICENESS = 10

/** Whoever starts it stops it. */
export async function startBenchPocketBase(): Promise<TestPocketBase> {
  const pocketbase = await startPocketBase({ bcryptCost: BCRYPT_COST })
  const pid = pocketbase.pid()
  // Linux keeps a priority for each thread; those that come later take their maker's.
  for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), NICENESS)
  return pocketbase
}
