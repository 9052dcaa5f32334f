// Finds processes that a test run started and did not end, by a marker in their environment.
// Parents, groups and sessions do not help: what is left over has usually left all of them.

import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** Name of the environment variable that every process of a test run inherits. */
export const RUN_MARKER = 'PBS_TEST_RUN'

/** What ends by itself when its parent is gone gets this long to do so. */
const GRACE_MS = 5000

export interface Leftover {
  readonly pid: number
  readonly command: string
}

/** Ends the leftovers of a run by their ids and answers what they were. Only Linux can tell; elsewhere there are none. */
export async function endLeftovers(run: string, { graceMs = GRACE_MS } = {}): Promise<readonly Leftover[]> {
  const until = Date.now() + graceMs
  let found = await findLeftovers(run)
  while (found.length > 0 && Date.now() < until) {
    await delay(100)
    found = await findLeftovers(run)
  }
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it ended in the meantime
    }
  }
  return found
}

async function findLeftovers(run: string): Promise<readonly Leftover[]> {
  if (process.platform !== 'linux') return []
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map((pid) => inspect(pid, run)))
  return found.filter((leftover) => leftover !== null)
}

async function inspect(pid: number, run: string): Promise<Leftover | null> {
  if (pid === process.pid) return null
  try {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8')
    if (!environment.split('\0').includes(`${RUN_MARKER}=${run}`)) return null
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    return { pid, command: command.replaceAll('\0', ' ').trim() }
  } catch {
    return null // ended while we looked, or not ours to look at
  }
}
