// What the peers' servers share: the app of express-session as its README shows it, and sessions made in its store.

import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import express from 'express'
import session from 'express-session'
import { announce, listen, makeMany, readTask } from '../servers/server-task.ts'
import { contentOf } from '../session-content.ts'

export const SECRET = 'bench-only-Vn4c8Kx1Lm5Rt7Wb9Yd2Hf4Jg6NcPs'
export const task = readTask()

// express-session's own dependency: the way it signs.
const signature = createRequire(createRequire(import.meta.url).resolve('express-session'))('cookie-signature')

/** The content of session `n`, as an app would keep it in `req.session`. */
export function flatContentOf(n) {
  const { user, token, data } = contentOf(n)
  return { user, token, ...data }
}

/** Serves `GET /me` with express-session over `store`. `options`: what the store's README sets beside. */
export async function serveExpressSession(store, options = {}) {
  const app = express()
  app.use(session({ secret: SECRET, resave: false, saveUninitialized: false, store, ...options }))
  app.get('/me', ({ session: { user } }, res) => {
    if (user === undefined) res.status(401).json({ id: null })
    else res.json({ id: user.id, email: user.email })
  })
  const port = await listen(createServer(app))
  const cookies = await makeMany(task.sessions, (n) => createIn(store, n, options))
  const dead = await createIn(store, task.sessions, options)
  const id = /s%3A([^.]+)/.exec(dead)[1]
  await promisify(store.destroy.bind(store))(id)
  announce(task, port, { cookies, dead })
}

/** As express-session writes a session that a login has filled. */
async function createIn(store, n, { cookie = {} }) {
  const id = randomBytes(24).toString('base64url')
  const kept = { ...flatContentOf(n), cookie: new session.Cookie(cookie) }
  const plain = JSON.parse(JSON.stringify(kept))
  await promisify(store.set.bind(store))(id, plain)
  return `connect.sid=${encodeURIComponent(`s:${signature.sign(id, SECRET)}`)}`
}
