// The parts of the benchmark, in the order in which they run, and how long each takes.

import { measureCacheMemory } from './cache-memory.ts'
import type { Section } from './figure.ts'
import { measureLoginPressure } from './login-pressure.ts'
import { measureMillion } from './million.ts'
import type { PrepareOptions } from './prepared-server.ts'
import { measureRevocation } from './revocation.ts'
import { measureRounds, type Rounds } from './rounds.ts'
import { OUR_ROWS, PEER_ROWS } from './subjects.ts'
import { measureTailLatency } from './tail-latency.ts'

export const PARTS = ['rows', 'latency', 'memory', 'login', 'revocation', 'million'] as const
export type Part = (typeof PARTS)[number]

export interface Size {
  readonly parts: readonly Part[]
  /** Of the throughput rows. */
  readonly rounds: number
  /** Of a slice. */
  readonly seconds: number
  readonly latencyRounds: number
  readonly latencySeconds: number
  readonly revocations: number
}

/** Under five minutes on two cores; a million sessions take longer. */
export const QUICK: Size = {
  parts: ['rows', 'latency', 'memory', 'login', 'revocation'],
  rounds: 3,
  seconds: 1,
  latencyRounds: 2,
  latencySeconds: 2,
  revocations: 500,
}

export const FULL: Size = {
  parts: PARTS,
  rounds: 15,
  seconds: 3,
  latencyRounds: 5,
  latencySeconds: 5,
  revocations: 10_000,
}

export async function measureParts(
  parts: ReadonlySet<Part>,
  options: Size & PrepareOptions,
): Promise<{ readonly rounds: Rounds | null; readonly sections: readonly Section[] }> {
  const { backends, print, revocations: count } = options
  const tail = { backends, print, rounds: options.latencyRounds, seconds: options.latencySeconds }
  const rounds = parts.has('rows') ? await measureRounds([...OUR_ROWS, ...PEER_ROWS], options) : null
  const measure: Readonly<Record<Exclude<Part, 'rows'>, () => Promise<Section>>> = {
    latency: () => measureTailLatency(tail),
    memory: () => measureCacheMemory(backends),
    login: () => measureLoginPressure(tail),
    revocation: () => measureRevocation({ backends, count }),
    million: () => measureMillion(backends),
  }
  const sections: Section[] = []
  for (const part of PARTS) {
    if (part === 'rows' || !parts.has(part)) continue
    print(`measuring: ${part}`)
    sections.push(await measure[part]())
  }
  return { rounds, sections }
}
