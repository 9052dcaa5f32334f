// Bare Express 5 without any session: the reference.

import { createServer } from 'node:http'
import express from 'express'
import { contentOf, themeOf } from '../session-content.ts'
import { announce, listen, readTask } from './server-task.ts'

const { user } = contentOf(0)
const app = express()
app.get('/hello', (_req, res) => void res.json({ hello: 'world' }))
app.get('/me', (_req, res) => void res.json({ id: user.id, email: user.email }))
app.get('/theme', (_req, res) => void res.json({ theme: themeOf(0) }))

const task = readTask()
const server = createServer(app)
const port = await listen(server)
// As long as ours, so that the parser has the same work.
const cookies = Array.from(
  { length: task.sessions },
  (_, n) => `session=s%3A${String(n).padStart(46, 'x')}.${'y'.repeat(43)}`,
)
announce(task, port, { cookies, dead: null })
