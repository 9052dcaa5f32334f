// Our session middleware over one store, as an app mounts it.

import { createServer } from 'node:http'
import express from 'express'
import { resolveConfig } from '../../server/config.ts'
import { authKit } from '../../server/create-auth.ts'
import { createServices } from '../../server/create-services.ts'
import { openStore } from '../../server/stores/open.ts'
import { benchOptions } from './our-options.ts'
import { fillStore } from './our-sessions.ts'
import { announce, listen, readTask } from './server-task.ts'

declare module 'express-session' {
  interface SessionData {
    theme?: string
    visits?: number
  }
}

const task = readTask()
const app = express()
const server = createServer(app)
const port = await listen(server)
const options = benchOptions(task, `http://127.0.0.1:${port}`)
const config = resolveConfig(options, { production: false })

const store = await openStore(task.store)
await store.open()
const filled = await fillStore(store, config, task.sessions + 1)
const isMemory = task.store === 'memory:'
// The server opens the place anew: nothing is in a cache yet.
if (!isMemory) await store.close()
const services = await createServices(isMemory ? { ...config, store } : config)
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

const all = filled.map(({ id }) => `session=${services.sessions.cookieValue(id)}`)
const last = filled.at(-1)
if (last !== undefined) await services.sessions.end(last, 'logout')
announce(task, port, { cookies: all.slice(0, -1), dead: all.at(-1) ?? null })
