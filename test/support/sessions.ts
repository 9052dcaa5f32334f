// Session managers for tests, over any store, with a clock that the test moves.

import { Secrets } from '../../server/sessions/secrets.ts'
import { Sessions } from '../../server/sessions/manager.ts'
import type { SessionEvents } from '../../server/sessions/session-events.ts'
import type { SessionPolicy } from '../../server/sessions/policy.ts'
import type { Store } from '../../server/sessions/store.ts'
import { createMemoryStore } from '../../server/stores/memory.ts'
import { policy } from './session-drafts.ts'

export interface TestClock {
  readonly now: () => number
  advance(ms: number): void
}

export interface OpenSessionsOptions {
  readonly store?: Store
  readonly secrets?: readonly string[]
  readonly policy?: Partial<SessionPolicy>
  readonly timeoutMs?: number
  readonly clock?: TestClock
}

export interface SeenEvent {
  readonly name: keyof SessionEvents
  readonly event: object
}

export const SECRET = 'k'.repeat(40)

export function testClock(start = 1_700_000_000_000): TestClock {
  let time = start
  return { now: () => time, advance: (ms) => void (time += ms) }
}

export async function openSessions(options: OpenSessionsOptions = {}) {
  const clock = options.clock ?? testClock()
  const store = options.store ?? createMemoryStore()
  if (options.store === undefined) await store.open()
  const events: SeenEvent[] = []
  const sessions = new Sessions({
    store,
    secrets: new Secrets(options.secrets ?? [SECRET]),
    policy: { ...policy, ...options.policy },
    cookieName: 'session',
    timeoutMs: options.timeoutMs ?? 2000,
    now: clock.now,
    report: (name, event) => void events.push({ name, event }),
  })
  return { sessions, store, clock, events }
}
