// How a measured server gets its task from the benchmark, and tells that it is ready.

import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'

export interface ServerTask {
  /** How many sessions are to be alive. */
  readonly sessions: number
  /** Store URL, or a path for peers that take one. */
  readonly store: string
  /** Where the Cookie headers go, one a line: line `n` is the session of user `n`. */
  readonly cookieFile: string
  /** The product's option `cache`. */
  readonly cache?: boolean
  /** URL of a PocketBase, where users are to sign in during the measurement. */
  readonly pocketbase?: string
}

/** What the server sends once it can be measured. */
export interface ServerReady {
  readonly port: number
  /** Cookie header of a session that has ended; `null` where the server cannot end one. */
  readonly dead: string | null
}

export interface SeededSessions {
  readonly cookies: readonly string[]
  readonly dead: string | null
}

export function readTask(): ServerTask {
  return JSON.parse(process.argv[2] ?? '') as ServerTask // written by measured-server.ts
}

/** A free loopback port; the server listens on it from now on. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port // a TCP server has a port
}

/** Tells the benchmark that all sessions are there, and ends this process when the benchmark ends. */
export function announce({ cookieFile }: ServerTask, port: number, { cookies, dead }: SeededSessions): void {
  writeFileSync(cookieFile, `${cookies.join('\n')}\n`)
  const ready: ServerReady = { port, dead }
  process.send?.(ready)
  process.on('disconnect', () => process.exit(0))
}

/** Runs `make` for 0 … count - 1, some at once, and answers in that order. */
export async function makeMany<T>(count: number, make: (n: number) => Promise<T> | T): Promise<readonly T[]> {
  const made: T[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) made[n] = await make(n)
  }
  await Promise.all(Array.from({ length: 64 }, worker))
  return made
}
