// How much memory a live session takes in the caches of a process: all are asked for once by their cookie.

import { resolveConfig } from '../../server/config.ts'
import { createServices } from '../../server/create-services.ts'
import { benchOptions, draftOf } from './our-options.ts'
import { makeMany, readTask } from './server-task.ts'

export interface CacheMemory {
  readonly bytesPerSession: number
}

const ORIGIN = 'http://127.0.0.1:3000'

const task = readTask()
const services = await createServices(resolveConfig(benchOptions(task, ORIGIN), { production: false }))
const { sessions } = services

// Another object for each header, as they come from sockets: the caches must not share their keys with our list.
const file = Buffer.from(
  (await makeMany(task.sessions + 1, async (n) => cookieOf((await sessions.create(draftOf(n))).id))).join('\n'),
)
const lineLength = file.indexOf('\n') + 1
await ask(0) // code and connections
const before = usedBytes()
for (let n = 1; n <= task.sessions; n += 1) await ask(n)
const result: CacheMemory = { bytesPerSession: (usedBytes() - before) / task.sessions }
process.send?.(result)
process.on('disconnect', () => process.exit(0))

async function ask(n: number): Promise<void> {
  const header = file.toString('latin1', n * lineLength, (n + 1) * lineLength - 1).trimEnd()
  const reading = sessions.readCookie(header)
  const found = reading.state === 'valid' ? await sessions.findByCookie(reading) : undefined
  if (found?.live === undefined) throw new Error(`session ${n} was not found`)
}

/** Signatures differ in length where a character is percent-encoded; lines are filled up to the longest. */
function cookieOf(id: string): string {
  return `session=${sessions.cookieValue(id)}`.padEnd(200)
}

function usedBytes(): number {
  if (globalThis.gc === undefined) throw new Error('needs --expose-gc')
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
