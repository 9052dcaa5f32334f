// How long another node lets a session pass that has been ended, and that none passes once the ending is answered.

import type { ChildProcess } from 'node:child_process'
import type { Backends } from './backends.ts'
import type { Figure, Section } from './figure.ts'
import { pathOf, readyOf, spawnElsewhere, spawnOnServerCore, stop } from './measured-server.ts'
import type { Ending, NodeRequest, Refusal } from './servers/revocation-node.ts'
import { percentile } from './statistics.ts'
import type { Backend } from './subjects.ts'

export interface RevocationOptions {
  readonly backends: Backends
  readonly count: number
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
const SHARED: readonly Backend[] = ['sqlite', 'redis', 'postgres']
const AT_ONCE = 20
const COLUMNS = ['store', 'refused: median', '90 %', '99 %', 'max', 'answered: median', 'max']

export async function measureRevocation({ backends, count }: RevocationOptions): Promise<Section> {
  const outcomes = new Map<Backend, Outcome>()
  for (const backend of SHARED) outcomes.set(backend, await revoke(backend, { backends, count }))
  const figures = [...outcomes].map(([backend, { passesAfterAnswer: value }]): Figure => ({
    what: `requests that pass after an ending's answer: ${backend}`,
    value,
    unit: 'passes',
    target: { atMost: 0 },
  }))
  const rows = [...outcomes].map(([backend, { untilRefusedMs: refused, untilAnsweredMs: answered }]) => {
    const shares = [0.5, 0.9, 0.99, 1].map((share) => percentile(refused, share))
    return [backend, ...[...shares, percentile(answered, 0.5), percentile(answered, 1)].map((ms) => ms.toFixed(1))]
  })
  const table = [COLUMNS, COLUMNS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return {
    title: `Revocation: ${count} sessions per store ended on one node, in milliseconds until another one refuses`,
    figures,
    lines: table,
  }
}

async function revoke(backend: Backend, { backends, count }: RevocationOptions): Promise<Outcome> {
  const store = backends.storeOf({ id: 'revocation', program: PROGRAM, backend })
  const args = [pathOf(PROGRAM), JSON.stringify({ store })]
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
  const refusals = ask<readonly Refusal[]>(watching, { kind: 'watch', cookies })
  await isWatching
  const endings = await ask<readonly Ending[]>(ending, { kind: 'end' })
  const seen = await refusals
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
      node.off('exit', onExit)
      resolve(Reflect.get(message, name))
    }
    const onExit = (): void => reject(new Error(`${PROGRAM} ended`))
    node.on('message', onMessage)
    node.on('exit', onExit)
  })
}
