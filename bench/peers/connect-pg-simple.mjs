// express-session with connect-pg-simple.

import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import pg from 'pg'
import { serveExpressSession, task } from './serve.mjs'

const pool = new pg.Pool({ connectionString: task.store })
const PgSession = connectPgSimple(session)
const store = new PgSession({ pool, createTableIfMissing: true })
await serveExpressSession(store, { cookie: { maxAge: 30 * 24 * 60 * 60 * 1000 } })
