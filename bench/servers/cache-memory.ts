// How much memory a live session takes in the caches of a process: all are asked for once by their cookie.

import { resolveConfig } from '../../server/config.ts'
import { createServices } from '../../server/create-services.ts'
import { openStore } from '../../server/stores/open.ts'
import { benchOptions } from './our-options.ts'
import { fillStore } from './our-sessions.ts'
import { readTask } from './server-task.ts'

export interface CacheMemory {
  readonly bytesPerSession: number
}

const LINE = 200

const task = readTask()
const config = resolveConfig(benchOptions(task, 'http://127.0.0.1:3000'), { production: false })
const store = await openStore(task.store)
await store.open()
const filled = await fillStore(store, config, task.sessions + 1)
await store.close()
const { sessions } = await createServices(config)

// One buffer: from a socket each header comes as an object of its own, so the caches must not share ours.
const headers = Buffer.from(filled.map(({ id }) => `session=${sessions.cookieValue(id)}`.padEnd(LINE)).join(''))
await ask(0) // code and connections
const before = usedBytes()
for (let n = 1; n <= task.sessions; n += 1) await ask(n)
const result: CacheMemory = { bytesPerSession: (usedBytes() - before) / task.sessions }
process.send?.(result)
process.on('disconnect', () => process.exit(0))

async function ask(n: number): Promise<void> {
  const reading = sessions.readCookie(headers.toString('latin1', n * LINE, (n + 1) * LINE).trimEnd())
  const found = reading.state === 'valid' ? await sessions.findByCookie(reading) : undefined
  if (found?.live === undefined) throw new Error(`session ${n} was not found`)
}

function usedBytes(): number {
  if (globalThis.gc === undefined) throw new Error('needs --expose-gc')
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
