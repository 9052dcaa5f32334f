// How long another node lets a session pass that has been ended, and that none passes once the ending is answered.

import type { ChildProcess } from 'node:child_process'
import type { Backends } from './backends.ts'
import type { Figure, Section } from './figure.ts'
import { lastWordsOf, pathOf, readyOf, spawnElsewhere, spawnOnServerCore, stop } from './measured-server.ts'
import type { Ending, NodeRequest, Refusal } from './servers/revocation-node.ts'
import { percentile } from './statistics.ts'
import type { Backend } from './subjects.ts'

export interface RevocationOptions {
  readonly backends: Backends
  readonly count: number
}

interface Place {
  readonly name: string
  readonly backend: Backend
  readonly cache?: boolean
  readonly isExact: boolean
}

interface Outcome {
  /** From the start of the ending until the other node refuses. */
  readonly untilRefusedMs: readonly number[]
  /** From the start of the ending until its answer. */
  readonly untilAnsweredMs: readonly number[]
  /** Requests that began after the answer and passed all the same. */
  readonly passesAfterAnswer: number
}

const PROGRAM = 'servers/revocation-node.ts'
/** With `cache: true` PostgreSQL promises a bound instead, which the table shows. */
const PLACES: readonly Place[] = [
  { name: 'SQLite', backend: 'sqlite', isExact: true },
  { name: 'Redis', backend: 'redis', isExact: true },
  { name: 'PostgreSQL', backend: 'postgres', isExact: true },
  { name: 'PostgreSQL, cache: true', backend: 'postgres', cache: true, isExact: false },
]
const AT_ONCE = 20
const COLUMNS = [
  'store',
  'refused: median',
  '90 %',
  '99 %',
  'max',
  'answered: median',
  'max',
  'passes after the answer',
]

export async function measureRevocation({ backends, count }: RevocationOptions): Promise<Section> {
  const outcomes: (Outcome & { readonly place: Place })[] = []
  for (const place of PLACES) outcomes.push({ place, ...(await revoke(place, { backends, count })) })
  const figures = outcomes
    .filter(({ place }) => place.isExact)
    .map(({ place, passesAfterAnswer: value }): Figure => ({
      what: `requests that pass after an ending's answer: ${place.name}`,
      value,
      unit: 'passes',
      target: { atMost: 0 },
    }))
  const rows = outcomes.map(({ place, untilRefusedMs: refused, untilAnsweredMs: answered, passesAfterAnswer }) => {
    const shares = [0.5, 0.9, 0.99, 1].map((share) => percentile(refused, share))
    const times = [...shares, percentile(answered, 0.5), percentile(answered, 1)].map((ms) => ms.toFixed(1))
    return [place.name, ...times, String(passesAfterAnswer)]
  })
  const table = [COLUMNS, COLUMNS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return {
    title: `Revocation: ${count} sessions per store ended on one node, in milliseconds until another one refuses`,
    figures,
    lines: table,
  }
}

async function revoke({ backend, cache }: Place, { backends, count }: RevocationOptions): Promise<Outcome> {
  const store = backends.storeOf({ id: 'revocation', program: PROGRAM, backend })
  const args = [pathOf(PROGRAM), JSON.stringify({ store, cache })]
  const [ending, watching] = [spawnOnServerCore(args), spawnElsewhere(args)]
  try {
    await Promise.all([readyOf(ending, PROGRAM), readyOf(watching, PROGRAM)])
    const pairs: { readonly end: Ending; readonly seen: Refusal }[] = []
    while (pairs.length < count) pairs.push(...(await revokeSome(ending, watching)))
    return {
      untilRefusedMs: pairs.map(({ end, seen }) => seen.refused - end.began),
      untilAnsweredMs: pairs.map(({ end }) => end.answered - end.began),
      passesAfterAnswer: pairs.filter(({ end, seen }) => seen.lastPassBegan > end.answered).length,
    }
  } finally {
    await Promise.all([stop(ending), stop(watching)])
  }
}

async function revokeSome(
  ending: ChildProcess,
  watching: ChildProcess,
): Promise<readonly { readonly end: Ending; readonly seen: Refusal }[]> {
  const cookies = await ask<readonly string[]>(ending, { kind: 'create', count: AT_ONCE })
  const isWatching = nextMessage(watching, 'watching')
  const [seen, endings] = await Promise.all([
    ask<readonly Refusal[]>(watching, { kind: 'watch', cookies }),
    isWatching.then(() => ask<readonly Ending[]>(ending, { kind: 'end' })),
  ])
  return endings.flatMap((end, index) => {
    const refusal = seen[index]
    return refusal === undefined ? [] : [{ end, seen: refusal }]
  })
}

async function ask<T>(node: ChildProcess, request: NodeRequest): Promise<T> {
  const reply = nextMessage(node, 'reply')
  node.send(request)
  return (await reply) as T // as revocation-node.ts answers this request
}

/** @throws where the process ends instead */
function nextMessage(node: ChildProcess, name: 'reply' | 'watching'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: object): void => {
      if (!(name in message)) return
      node.off('message', onMessage)
      node.off('close', onExit)
      resolve(Reflect.get(message, name))
    }
    const onExit = (): void => reject(new Error(`${PROGRAM} ended:\n${lastWordsOf(node)}`))
    node.on('message', onMessage)
    node.on('close', onExit)
  })
}
