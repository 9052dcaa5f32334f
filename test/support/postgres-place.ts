// A place for the store contract in PostgreSQL: a schema of its own, gone after the case.

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Store } from '../../server/sessions/store.ts'
import { createPostgresStore } from '../../server/stores/postgres.ts'
import type { StorePlace } from '../../server/testing.ts'

const TABLES = ['schema', 'sessions', 'epoch', 'user_epochs', 'claims', 'counters']

export interface PostgresPlace extends StorePlace {
  readonly schema: string
  dump(): Promise<Uint8Array>
  dispose(): Promise<void>
}

/** Stores on one new schema, each made by `connect`; `count` is how many there were before. */
export function postgresPlace(
  url: string,
  connect: (schema: string, count: number) => Store | Promise<Store> = (schema) =>
    createPostgresStore({ url, schema, timeoutMs: 10_000 }),
): PostgresPlace {
  const schema = `pbs_test_${randomBytes(8).toString('hex')}`
  let count = 0
  return {
    schema,
    connect: () => {
      count += 1
      return connect(schema, count - 1)
    },
    dump: async () => {
      const texts: string[] = []
      for (const table of TABLES) {
        const rows = await query(url, `SELECT to_jsonb(t)::text FROM ${schema}.pbs_${table} AS t`)
        texts.push(...rows.flatMap(Object.values<string>))
      }
      return Buffer.from(texts.join('\n'))
    },
    dispose: async () => void (await query(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`)),
  }
}

/** Runs SQL on a connection of its own. */
export async function query(url: string, sql: string): Promise<readonly Record<string, string>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, string>>(sql)).rows
  } finally {
    await client.end()
  }
}
