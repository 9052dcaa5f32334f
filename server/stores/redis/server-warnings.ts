// What a Redis server, as it is set up, could lose or throw away by itself.

import type { RedisLink } from './link.ts'
import type { RedisNode } from './node.ts'
import type { TimeLimit } from './time-limit.ts'

/** Setting → the value that keeps sessions, and what another one means. */
const SETTINGS = {
  'maxmemory-policy': {
    good: 'noeviction',
    otherwise: 'it throws sessions away when its memory is full. Set it to noeviction',
  },
  appendonly: {
    good: 'yes',
    otherwise: 'when it is killed it forgets what it was told since its last snapshot, logouts too. Set it to yes',
  },
} as const

type Name = keyof typeof SETTINGS

/** Where settings cannot be read, it says so. */
export async function findServerWarnings(link: RedisLink, limit: TimeLimit): Promise<readonly string[]> {
  const names = Object.keys(SETTINGS) as Name[] // the keys above
  const checks = link.masters().flatMap((node) => names.map((name) => checkSetting(node, name, limit)))
  return [...new Set((await Promise.all(checks)).flat())]
}

async function checkSetting({ connection }: RedisNode, name: Name, limit: TimeLimit): Promise<readonly string[]> {
  const { good, otherwise } = SETTINGS[name]
  try {
    const answer = await connection.send({ args: ['CONFIG', 'GET', name], buffers: true }, limit)
    const value = String(Array.isArray(answer) ? answer[1] : undefined)
    return value === good ? [] : [`Redis runs with ${name} ${value}: ${otherwise}`]
  } catch {
    // Managed servers refuse CONFIG; that is no reason not to start.
    return [`Redis does not show its setting ${name}; see that it is ${good}`]
  }
}
