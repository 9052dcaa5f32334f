// How much memory a live session takes in the caches of a process: all are asked for once by their cookie.

import { setTimeout as delay } from 'node:timers/promises'
import { resolveConfig } from '../../server/config.ts'
import { createServices } from '../../server/create-services.ts'
import { cookieValue } from '../../server/sessions/cookie.ts'
import { Secrets } from '../../server/sessions/secrets.ts'
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
const headers = await fill()
const { sessions } = await createServices(config)

await ask(0) // code and connections
const before = await usedBytes()
for (let n = 1; n <= task.sessions; n += 1) await ask(n)
const result: CacheMemory = { bytesPerSession: ((await usedBytes()) - before) / task.sessions }
process.send?.(result)
process.on('disconnect', () => process.exit(0))

/** One buffer of headers: from a socket each comes as an object of its own, so the caches must not share ours. */
async function fill(): Promise<Buffer> {
  const store = await openStore(task.store)
  await store.open()
  const filled = await fillStore(store, config, task.sessions + 1)
  await store.close()
  const secrets = new Secrets(config.secrets)
  return Buffer.from(filled.map(({ id }) => `session=${cookieValue(secrets, id)}`.padEnd(LINE)).join(''))
}

async function ask(n: number): Promise<void> {
  const reading = sessions.readCookie(headers.toString('latin1', n * LINE, (n + 1) * LINE).trimEnd())
  const found = reading.state === 'valid' ? await sessions.findByCookie(reading) : undefined
  if (found?.live === undefined) throw new Error(`session ${n} was not found`)
}

/** Buffers are given back by another thread, some time after the collection. */
async function usedBytes(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('needs --expose-gc')
  for (let last = Number.POSITIVE_INFINITY; ;) {
    globalThis.gc()
    await delay(200)
    const { heapUsed, external } = process.memoryUsage()
    const used = heapUsed + external
    if (used > last * 0.999) return used
    last = used
  }
}
