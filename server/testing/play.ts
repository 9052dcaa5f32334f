// Plays the steps of a property on a real store, and says what it answers in the model's words.

import type { SessionRecord } from '../sessions/record.ts'
import type { Store } from '../sessions/store.ts'
import { describeLive, type Answer, type Model, type Step } from './model.ts'
import { sampleKey, sampleSession, successorKey } from './sample-session.ts'

/** The keys and users of one run: its own, so that a store serves many runs. */
export class Cast {
  readonly #first = sampleKey()
  readonly #keys = new Map<number, string>()

  /** All keys have one tag, as the ids of a rotated session do. */
  key(number: number): string {
    const key = this.#keys.get(number) ?? successorKey(this.#first)
    this.#keys.set(number, key)
    return key
  }

  user(number: number): string {
    return `${this.#first.slice(3, 15)}${number}`
  }

  numberOf(key: string): number {
    return [...this.#keys].find(([, known]) => known === key)?.[0] ?? Number.NaN
  }

  record(number: number, user: number | null, now: number): SessionRecord {
    const userId = user === null ? null : this.user(user)
    return sampleSession(now, { key: this.key(number), userId, fields: new Map() })
  }
}

/** @param userOf whose session a key is: a successor belongs to the same. */
export interface Play {
  readonly store: Store
  readonly cast: Cast
  readonly now: number
  readonly userOf: (key: number) => number | null
}

export async function playStep(step: Step, { store, cast, now, userOf }: Play): Promise<Answer> {
  switch (step.kind) {
    case 'create':
      return orRefused(async () => {
        await store.create(cast.record(step.key, step.user, now))
        return 'created'
      })
    case 'update': {
      const change =
        step.value === null ? { unset: [step.field] } : { set: new Map([[step.field, Uint8Array.of(step.value)]]) }
      return String(await store.update(cast.key(step.key), { ...change, ...versionOf(step) }, now))
    }
    case 'touch':
      await store.touch([{ key: cast.key(step.key), lastSeenAt: now, idleExpiresAt: now + step.idleMs }], now)
      return 'touched'
    case 'replace': {
      const next = cast.record(step.next, userOf(step.key), now)
      return orRefused(async () => store.replace(cast.key(step.key), next, versionOf(step), now))
    }
    case 'end':
      return String(await store.end(cast.key(step.key), 'logout', now))
    case 'endByUser': {
      const options = step.except === null ? {} : { exceptKey: cast.key(step.except) }
      return String(await store.endByUser(cast.user(step.user), 'logout_everywhere', now, options))
    }
    case 'find':
      return describeStored(store, cast.key(step.key), now)
    case 'list': {
      const listed = await store.listByUser(cast.user(step.user), now)
      return listed
        .map(({ key }) => cast.numberOf(key))
        .toSorted((a, b) => a - b)
        .join()
    }
  }
}

/** What the store shows of every row of the model; to be compared with `describeModel`. */
export async function describeStore(model: Model, { store, cast, now }: Play): Promise<Answer> {
  const lines: string[] = []
  for (const key of [...model.rows.keys()].toSorted((a, b) => a - b)) {
    lines.push(`${key}: ${await describeStored(store, cast.key(key), now)}`)
  }
  return lines.join('\n')
}

async function describeStored(store: Store, key: string, now: number): Promise<Answer> {
  const found = await store.find(key, now)
  if (found === undefined) return 'none'
  if (found.live === undefined) return `ended ${found.ended.reason}`
  const fields = [...found.live.fields].map(([name, value]) => [name, value[0] ?? 0] as const)
  return describeLive({ ...found.live, fields: Object.fromEntries(fields) })
}

function versionOf(step: { readonly ifVersion: number | null }) {
  return step.ifVersion === null ? {} : { ifVersion: step.ifVersion }
}

/** A refusal is an error, and any error is one: the stores' texts differ. */
async function orRefused(run: () => Promise<string>): Promise<string> {
  try {
    return await run()
  } catch {
    return 'refused' // compared with the model, which says whether it had to be
  }
}
