// An app of somebody who uses the kit: besides our flows and pages, notes in `req.session`, a counter, and a page that
// looks at no session.

import cookieParser from 'cookie-parser'
import express, { type Express } from 'express'
import type { Auth } from '../../server/create-auth.ts'
import { fieldsOf } from './session-sites.ts'

export function notesApp(auth: Auth): Express {
  const app = express()
  app.use(auth.securityHeaders(), auth.session(), cookieParser('a secret of the app'), auth.csrf())
  app.use('/auth', auth.routes())
  app.get('/news', (_req, res) => res.json({ news: [] }))
  app.use('/notes', auth.requireAuth(), express.json())
  app.get('/notes', (req, res) => {
    const { cookie: _, ...notes } = fieldsOf(req)
    res.json({ email: req.auth?.user.email, stale: req.auth?.stale, notes })
  })
  app.put('/notes/:name', (req, res) => {
    fieldsOf(req)[req.params.name] = (req.body as { readonly text: string }).text // sent by the test
    res.json({ email: req.auth?.user.email })
  })
  app.post('/notes/count', async (req, res) => {
    const count = await auth.updateSession<number>(req, 'count', (value) => (value ?? 0) + 1)
    res.json({ email: req.auth?.user.email, count })
  })
  app.use(auth.pages({ home: true }))
  app.use(auth.errorHandler())
  return app
}
