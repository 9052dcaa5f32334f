// better-auth on Express with SQLite, asked for the session as its documentation shows it.

import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node'
import Database from 'better-sqlite3'
import express from 'express'
import { announce, listen, makeMany } from '../servers/server-task.ts'
import { flatContentOf, SECRET, task } from './serve.mjs'

const app = express()
const port = await listen(createServer(app))
const text = { type: 'string', required: false }
const options = {
  baseURL: `http://127.0.0.1:${port}`,
  secret: SECRET,
  database: new Database(task.store),
  telemetry: { enabled: false },
  // A slow hash for each of the sessions would only make the start longer.
  emailAndPassword: { enabled: true, password: { hash: async () => 'none', verify: async () => true } },
  user: { additionalFields: { theme: text, token: text, cart: text } },
}
const auth = betterAuth(options)
await (await getMigrations(options)).runMigrations()

app.all('/api/auth/*splat', toNodeHandler(auth))
app.get('/me', async (req, res) => {
  const found = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) })
  if (found === null) res.status(401).json({ id: null })
  else res.json({ id: found.user.name, email: found.user.email })
})

const cookies = await makeMany(task.sessions, signUp)
const dead = await signUp(task.sessions)
await auth.api.signOut({ headers: new Headers({ cookie: dead }) })
announce(task, port, { cookies, dead })

async function signUp(n) {
  const { user, token, theme, cart } = flatContentOf(n)
  const body = { name: user.id, email: user.email, password: 'correct horse', theme, token, cart: JSON.stringify(cart) }
  const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true })
  return headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
}
