// Every way in which a handler may answer. Each begins after the handler has changed `req.session`.

import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Express, Request, Response } from 'express'
import { fieldsOf } from '../../support/session-sites.ts'

export interface ResponseKind {
  readonly answer: (req: Request, res: Response) => void
  readonly status: number
  /** The body, or what it has to hold. */
  readonly body: string | RegExp
}

const FILE = fileURLToPath(import.meta.url)
const BIG = 'x'.repeat(300_000)

export const RESPONSE_KINDS: Readonly<Record<string, ResponseKind>> = {
  json: { answer: (_req, res) => res.json({ ok: true }), status: 200, body: '{"ok":true}' },
  redirect: { answer: (_req, res) => res.redirect('/next'), status: 302, body: /next/ },
  'write and end': {
    answer(_req, res) {
      res.write('one,')
      res.write(Buffer.from('two,'))
      res.end('three')
    },
    status: 200,
    body: 'one,two,three',
  },
  sendFile: { answer: (_req, res) => res.sendFile(FILE), status: 200, body: /Every way in which/ },
  'a piped file': {
    answer: (_req, res) => void createReadStream(FILE).pipe(res),
    status: 200,
    body: /Every way in which/,
  },
  'a piped stream larger than all buffers': {
    answer: (_req, res) => void Readable.from([BIG, BIG, BIG, BIG]).pipe(res),
    status: 200,
    body: BIG + BIG + BIG + BIG,
  },
  'end with a callback': {
    answer: (_req, res) => void res.end('done', () => res.emit('test:ended')),
    status: 200,
    body: 'done',
  },
  'end without a body': { answer: (_req, res) => void res.end(), status: 200, body: '' },
  'status 204': { answer: (_req, res) => void res.status(204).end(), status: 204, body: '' },
  'status 304': { answer: (_req, res) => void res.status(304).end(), status: 304, body: '' },
  'writeHead with an object': {
    answer: (_req, res) => void res.writeHead(201, { 'X-Kind': 'head', 'Set-Cookie': 'other=1' }).end('made'),
    status: 201,
    body: 'made',
  },
  'writeHead with a message and a list': {
    answer: (_req, res) =>
      void res.writeHead(202, 'Taken', ['X-Kind', 'list', 'Set-Cookie', 'other=1', 'Set-Cookie', 'more=2']).end(),
    status: 202,
    body: '',
  },
  'an event stream': {
    answer(_req, res) {
      res.setHeader('Content-Type', 'text/event-stream')
      res.flushHeaders()
      res.write('data: 1\n\n')
      setImmediate(() => res.end('data: 2\n\n'))
    },
    status: 200,
    body: 'data: 1\n\ndata: 2\n\n',
  },
}

/** Mounts each at its name, after a change that makes a new session. */
export function mountKinds(app: Express): void {
  for (const [name, { answer }] of Object.entries(RESPONSE_KINDS)) {
    app.get(`/${encodeURIComponent(name)}`, (req, res) => {
      fieldsOf(req)['seen'] = name
      answer(req, res)
    })
  }
  app.get('/seen', (req, res) => res.json({ seen: fieldsOf(req)['seen'] ?? null }))
}
