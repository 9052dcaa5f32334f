// A page for those who are signed in. Everybody else is sent to the login page, and comes back.
//   POCKETBASE_URL=http://127.0.0.1:8090 PORT=4000 npx node examples/minimal.ts

import express from 'express'
import { randomBytes } from 'node:crypto'
import { createAuth } from '../server/index.ts' // in your app: 'pocketbase-session'

const port = Number(process.env['PORT'] ?? 3000)
const auth = await createAuth({
  pocketbase: process.env['POCKETBASE_URL'] ?? 'http://127.0.0.1:8090',
  origin: `http://localhost:${port}`,
  secret: process.env['SESSION_SECRET'] ?? randomBytes(32).toString('hex'),
  store: 'memory:',
})

const app = express()
app.use(auth.securityHeaders(), auth.session(), auth.csrf())
app.use('/auth', auth.routes())
app.use(auth.pages())
app.get('/', auth.requireAuth(), (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1
  res.type('text').send(`Hello ${req.user?.email}, visit ${req.session.visits}`)
})
app.use(auth.errorHandler())
app.listen(port, '127.0.0.1', () => process.stdout.write(`http://localhost:${port}\n`))

declare module 'express-session' {
  interface SessionData {
    visits?: number
  }
}
