// The other process of store-process.ts: does what it is told, on any number of files and servers.

import { DatabaseSync } from 'node:sqlite'
import type { Store } from '../../server/sessions/store.ts'
import { openStore } from '../../server/stores/open.ts'

export interface Request {
  readonly id: number
  readonly path: string
  readonly method: string
  readonly args: readonly unknown[]
}

export interface Reply {
  readonly id: number
  readonly answer?: unknown
  readonly error?: string
}

const cache = process.argv.includes('--cache') ? { cache: true } : {}
const stores = new Map<string, Promise<Store>>()
const locks = new Map<string, DatabaseSync>()

process.on('message', (request: Request) => {
  void answer(request).then((reply) => process.send?.(reply))
})

async function answer({ id, path, method, args }: Request): Promise<Reply> {
  try {
    return { id, answer: await run(path, method, args) }
  } catch (error) {
    return { id, error: String(error) }
  }
}

async function run(path: string, method: string, args: readonly unknown[]): Promise<unknown> {
  if (method === 'ready') return undefined
  if (method === 'lock') return lock(path)
  if (method === 'unlock') return unlock(path)
  const url = path.includes('://') ? path : `sqlite:${path}`
  const opening = stores.get(path) ?? openStore(url, { timeoutMs: 10_000, ...cache })
  stores.set(path, opening)
  const store = await opening
  if (method === 'close') stores.delete(path)
  const call: unknown = Reflect.get(store, method)
  if (typeof call !== 'function') throw new Error(`a store has no ${method}`)
  return Reflect.apply(call, store, args)
}

function lock(path: string): void {
  const db = new DatabaseSync(path)
  db.exec('BEGIN IMMEDIATE')
  locks.set(path, db)
}

function unlock(path: string): void {
  locks.get(path)?.close()
  locks.delete(path)
}
