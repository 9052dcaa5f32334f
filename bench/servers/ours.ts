// Our session middleware over one store, with sessions made by the product's own manager.

import { createServer } from 'node:http'
import express from 'express'
import { resolveConfig } from '../../server/config.ts'
import { authKit } from '../../server/create-auth.ts'
import { createServices } from '../../server/create-services.ts'
import type { Sessions } from '../../server/sessions/manager.ts'
import { benchOptions, draftOf } from './our-options.ts'
import { announce, listen, makeMany, readTask, type SeededSessions } from './server-task.ts'

declare module 'express-session' {
  interface SessionData {
    theme?: string
    visits?: number
  }
}

const TOUCH_INTERVAL_MS = 60_000

const task = readTask()
const app = express()
const server = createServer(app)
const port = await listen(server)
const clock = { offsetMs: 0 }
const now = (): number => Date.now() + clock.offsetMs
const options = benchOptions(task, `http://127.0.0.1:${port}`)
const services = await createServices(resolveConfig({ ...options, now }, { production: false }))
const kit = authKit(services)

app.use(kit.session())
if (task.pocketbase !== undefined) app.use('/auth', kit.routes())
app.get('/hello', (_req, res) => void res.json({ hello: 'world' }))
app.get('/me', ({ user }, res) => {
  if (user === undefined) res.status(401).json({ id: null })
  else res.json({ id: user.id, email: user.email })
})
app.get('/theme', (req, res) => void res.json({ theme: req.session.theme }))
app.get('/visits', (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1
  res.json({ visits: req.session.visits })
})
announce(task, port, await seed(services.sessions))

/** Sessions were last used at any time of the last minute, so that touches fall due as in a server that runs for long. */
async function seed(sessions: Sessions): Promise<SeededSessions> {
  const cookieOf = (id: string): string => `session=${sessions.cookieValue(id)}`
  const cookies = await makeMany(task.sessions, async (n) => {
    clock.offsetMs = -TOUCH_INTERVAL_MS * (1 - n / task.sessions)
    const live = await sessions.create(draftOf(n))
    return cookieOf(live.id)
  })
  clock.offsetMs = 0
  const dead = await sessions.create(draftOf(task.sessions))
  await sessions.end(dead, 'logout')
  return { cookies, dead: cookieOf(dead.id) }
}
