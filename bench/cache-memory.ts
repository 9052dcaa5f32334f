// Memory per live session in the cache, by a process that does nothing else.

import type { Backends } from './backends.ts'
import type { Section } from './figure.ts'
import { pathOf, readyOf, spawnOnServerCore, stop } from './measured-server.ts'
import type { CacheMemory } from './servers/cache-memory.ts'
import { SQLITE } from './subjects.ts'

const PROGRAM = 'servers/cache-memory.ts'
const SESSIONS = 20_000

export async function measureCacheMemory(backends: Backends): Promise<Section> {
  const store = backends.storeOf({ ...SQLITE, id: 'cache-memory' })
  const task = { sessions: SESSIONS, store, cookieFile: '' }
  const child = spawnOnServerCore(['--expose-gc', pathOf(PROGRAM), JSON.stringify(task)])
  try {
    const { bytesPerSession: value } = await readyOf<CacheMemory>(child, PROGRAM)
    return {
      title: 'Memory',
      figures: [{ what: 'memory per live session in the cache', value, unit: 'bytes', target: { atMost: 1500 } }],
      lines: [
        `Heap and buffers after a collection, over ${SESSIONS} sessions in SQLite that were each asked for once.`,
      ],
    }
  } finally {
    await stop(child)
  }
}
