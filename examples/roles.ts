// Parts of an app for some roles only. PocketBase is asked at each request: a role that is taken away is gone at once.
//   POCKETBASE_URL=http://127.0.0.1:8090 PORT=4000 npx node examples/roles.ts

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

const editors = express.Router()
editors.get('/drafts', (req, res) => res.json({ drafts: [], for: req.auth?.user.email }))

const app = express()
app.use(auth.securityHeaders(), auth.session(), auth.csrf())
app.use('/auth', auth.routes())
app.use(auth.pages())
app.use('/editors', auth.requireRole('editor', 'admin'), editors)
app.get('/news', (req, res) => res.json({ news: [], canWrite: req.user?.role === 'editor' }))
app.use(auth.errorHandler())
app.listen(port, '127.0.0.1', () => process.stdout.write(`http://localhost:${port}\n`))
