// Sessions for the benchmark, sealed as the product does it and written in bulk: a commit for each would take minutes.

import type { Config } from '../../server/config.ts'
import { isCopyable } from '../../server/sessions/copyable-store.ts'
import { buildSession } from '../../server/sessions/draft.ts'
import type { LiveSession } from '../../server/sessions/live-session.ts'
import { Secrets } from '../../server/sessions/secrets.ts'
import type { Store } from '../../server/sessions/store.ts'
import { draftOf } from './our-options.ts'

const PAGE = 500

/** Writes the sessions of users 0 … count - 1 and answers them with their ids. */
export async function fillStore(store: Store, config: Config, count: number): Promise<readonly LiveSession[]> {
  if (!isCopyable(store)) throw new TypeError(`the store ${store.name} takes no sessions in bulk`)
  const secrets = new Secrets(config.secrets)
  const { session: policy } = config
  const all: LiveSession[] = []
  for (let first = 0; first < count; first += PAGE) {
    const numbers = Array.from({ length: Math.min(PAGE, count - first) }, (_, index) => first + index)
    const page = numbers.map((n) =>
      buildSession(draftOf(n), { secrets, policy, now: lastUse(policy.touchIntervalMs, n / count) }),
    )
    await store.importEntries(
      page.map(({ record }) => ({ kind: 'session', record, ended: null })),
      Date.now(),
    )
    all.push(...page)
  }
  return all
}

/** At any time of the last interval, so that touches fall due as in a server that has run for long. */
function lastUse(touchIntervalMs: number, share: number): number {
  return Date.now() - Math.round(touchIntervalMs * (1 - share))
}
