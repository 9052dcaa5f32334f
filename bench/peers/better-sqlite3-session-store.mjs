// express-session with better-sqlite3-session-store.

import Database from 'better-sqlite3'
import sqliteStore from 'better-sqlite3-session-store'
import session from 'express-session'
import { serveExpressSession, task } from './serve.mjs'

const SqliteStore = sqliteStore(session)
const client = new Database(task.store)
await serveExpressSession(new SqliteStore({ client, expired: { clear: true, intervalMs: 900_000 } }))
