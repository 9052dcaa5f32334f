// A store in another process: real parallelism, and a process that can be killed.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Store } from '../../server/sessions/store.ts'
import type { Reply, Request } from './store-process-main.ts'

const MAIN = new URL('store-process-main.ts', import.meta.url)

export interface StoreProcess {
  readonly pid: number
  /** A store on this SQLite file, or of this URL, whose calls run in the other process. */
  store(path: string): Store
  /** Takes the write lock of the file and keeps it. */
  lock(path: string): Promise<void>
  unlock(path: string): Promise<void>
  /** SIGKILL: no handler runs, nothing is flushed. */
  kill(): Promise<void>
}

type Settle = { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void }

/** Whoever starts it kills it. `cache`: its stores keep rows, where they do not by themselves. */
export async function startStoreProcess(options: { readonly cache?: boolean } = {}): Promise<StoreProcess> {
  const child = fork(MAIN, options.cache ? ['--cache'] : [], { serialization: 'advanced' })
  const exited = once(child, 'exit')
  const call = callsTo(child)
  await call('', 'ready', [])
  return {
    pid: child.pid ?? 0,
    store: (path) => remoteStore((method, args) => call(path, method, args)),
    lock: async (path) => void (await call(path, 'lock', [])),
    unlock: async (path) => void (await call(path, 'unlock', [])),
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

function callsTo(child: ChildProcess) {
  const waiting = new Map<number, Settle>()
  let calls = 0
  child.on('message', ({ id, answer, error }: Reply) => {
    const settle = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) settle?.resolve(answer)
    else settle?.reject(new Error(error))
  })
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('The store process is gone.'))
    waiting.clear()
  })
  return (path: string, method: string, args: readonly unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      if (!child.connected) return reject(new Error('The store process is gone.'))
      calls += 1
      waiting.set(calls, { resolve, reject })
      child.send({ id: calls, path, method, args } satisfies Request)
    })
}

function remoteStore(call: (method: string, args: readonly unknown[]) => Promise<unknown>): Store {
  const target = { name: 'a store in another process' } as Store // every other property is a call
  return new Proxy(target, {
    has: (_, property) => property !== 'connect',
    get: (_, property) => {
      if (property === 'name') return target.name
      if (property === 'then' || typeof property === 'symbol') return undefined // a store is no promise
      return (...args: readonly unknown[]) => call(property, args)
    },
  })
}
