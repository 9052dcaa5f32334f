// A PocketBase whose server and watchdog were both killed still runs on the data folder. It is ended before a new
// one starts: two on one folder would each think that they are alone.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Logger } from '../../logger.ts'

const GRACE_MS = 3000
const POLL_MS = 25

/** Ends process `pid` if it is a PocketBase on `dir`; ids are given out again, so the command line decides. */
export async function endOrphan(pid: number | null, dir: string, logger: Logger): Promise<void> {
  if (pid === null || !(await isPocketBaseOn(pid, dir))) return
  logger.warn({ pid }, 'ending a PocketBase that an earlier server left behind')
  signal(pid, 'SIGTERM')
  for (let waited = 0; waited < GRACE_MS; waited += POLL_MS) {
    if (!(await isPocketBaseOn(pid, dir))) return
    await delay(POLL_MS)
  }
  signal(pid, 'SIGKILL')
}

async function isPocketBaseOn(pid: number, dir: string): Promise<boolean> {
  return (await commandLine(pid)).includes(`--dir=${dir}`)
}

async function commandLine(pid: number): Promise<readonly string[]> {
  try {
    if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
    const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)])
    return stdout.trim().split(' ')
  } catch {
    return [] // no such process
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended in this moment.
  }
}
