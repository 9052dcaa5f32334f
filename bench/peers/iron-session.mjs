// iron-session on Express: the session is the cookie, sealed.

import { createServer } from 'node:http'
import express from 'express'
import { getIronSession, sealData } from 'iron-session'
import { announce, listen, makeMany } from '../servers/server-task.ts'
import { flatContentOf, SECRET, task } from './serve.mjs'

const options = { password: SECRET, cookieName: 'iron', cookieOptions: { secure: false } }
const app = express()
app.get('/me', async (req, res) => {
  const { user } = await getIronSession(req, res, options)
  if (user === undefined) res.status(401).json({ id: null })
  else res.json({ id: user.id, email: user.email })
})
const port = await listen(createServer(app))
const cookies = await makeMany(task.sessions, async (n) => `iron=${await sealData(flatContentOf(n), options)}`)
// A copy of a cookie is good until its time is over: no session can be ended.
announce(task, port, { cookies, dead: null })
