// A million sessions in one SQLite file.

import type { Backends } from './backends.ts'
import type { Section } from './figure.ts'
import { pathOf, readyOf, spawnOnServerCore, stop } from './measured-server.ts'
import type { MillionResult } from './servers/million.ts'
import { SQLITE } from './subjects.ts'

const PROGRAM = 'servers/million.ts'

export async function measureMillion(backends: Backends, sessions = 1_000_000): Promise<Section> {
  const task = { sessions, store: backends.storeOf({ ...SQLITE, id: 'million' }), cookieFile: '' }
  const child = spawnOnServerCore([pathOf(PROGRAM), JSON.stringify(task)])
  try {
    const { findP50Ms, findP99Ms, deleted, stepP50Ms, longestStepMs } = await readyOf<MillionResult>(child, PROGRAM)
    return {
      title: `${sessions.toLocaleString('en')} sessions in SQLite`,
      figures: [
        { what: 'find, p99', value: findP99Ms, unit: 'ms', target: { atMost: 0.2 } },
        { what: 'longest step of deleting what has expired', value: longestStepMs, unit: 'ms', target: { atMost: 5 } },
      ],
      lines: [
        `Median of find: ${findP50Ms.toFixed(3)} ms. ${deleted.toLocaleString('en')} expired sessions were deleted; median of a step: ${stepP50Ms.toFixed(1)} ms.`,
      ],
    }
  } finally {
    await stop(child)
  }
}
