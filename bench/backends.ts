// Where the measured servers keep their sessions: files in a folder of the run, a real Redis, a real PostgreSQL.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgresServer } from '../test/support/postgres-server.ts'
import { startRedisServer } from '../test/support/redis-server.ts'
import type { Backend, Subject } from './subjects.ts'

export interface Backends {
  /** A file of this run. */
  file(name: string): string
  /** What a server is told: our own take a store URL, peers with SQLite a path. */
  storeOf(subject: Pick<Subject, 'id' | 'program' | 'backend'>): string
  stop(): Promise<void>
}

/** Starts what is needed, as Debian sets it up. Whoever starts them stops them. */
export async function startBackends(needed: ReadonlySet<Backend>): Promise<Backends> {
  const folder = mkdtempSync(join(tmpdir(), 'pbs-bench-'))
  const redis = needed.has('redis') ? await startRedisServer() : null
  const postgres = needed.has('postgres') ? await startPostgresServer() : null
  const file = (name: string): string => join(folder, name)
  return {
    file,
    storeOf({ id, program, backend }) {
      if (backend === 'redis') return redis?.url ?? ''
      if (backend === 'postgres') return postgres?.url ?? ''
      if (backend !== 'sqlite') return 'memory:'
      return program.startsWith('peers/') ? file(`${id}.db`) : `sqlite:${file(`${id}.db`)}`
    },
    async stop() {
      await redis?.stop()
      await postgres?.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
