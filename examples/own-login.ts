// A sign-in of the app's own: its own form and handler, our sessions.
//   POCKETBASE_URL=http://127.0.0.1:8090 PORT=4000 npx node examples/own-login.ts

import express from 'express'
import { randomBytes } from 'node:crypto'
import { createAuth } from '../server/index.ts' // in your app: 'pocketbase-session'

const port = Number(process.env['PORT'] ?? 3000)
const auth = await createAuth({
  pocketbase: process.env['POCKETBASE_URL'] ?? 'http://127.0.0.1:8090',
  origin: `http://localhost:${port}`,
  secret: process.env['SESSION_SECRET'] ?? randomBytes(32).toString('hex'),
  store: 'memory:',
  paths: { login: '/enter' },
})

const form = (token: string, action: string, fields = '') =>
  `<!doctype html><form method="post" action="${action}"><input type="hidden" name="_csrf" value="${token}">${fields}<button>Go</button></form>`
const FIELDS = 'E-mail <input name="email" type="email"> Password <input name="password" type="password">'

const app = express()
app.use(express.urlencoded({ extended: false }), auth.securityHeaders(), auth.session(), auth.csrf())
app.get('/enter', auth.requireGuest(), (req, res) => res.send(form(auth.csrfToken(req), '/enter', FIELDS)))
app.post('/enter', async (req, res) => {
  const { email, password } = req.body as Record<string, string>
  await auth.signIn(req, { identity: email ?? '', password: password ?? '' }, { remember: true })
  res.redirect(303, '/')
})
app.post('/leave', async (req, res) => {
  await auth.signOut(req)
  res.redirect(303, '/enter')
})
app.get('/', auth.requireAuth(), (req, res) => res.send(`You are in. ${form(auth.csrfToken(req), '/leave')}`))
app.use(auth.errorHandler())
app.listen(port, '127.0.0.1', () => process.stdout.write(`http://localhost:${port}\n`))
