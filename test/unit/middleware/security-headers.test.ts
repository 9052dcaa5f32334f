import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import express from 'express'
import { securityHeaders } from '../../../server/middleware/security-headers.ts'
import { send, type Answer } from '../../support/http-client.ts'

async function ask(t: TestContext, origin: string): Promise<() => Promise<Answer>> {
  const app = express()
  app.use(securityHeaders({ config: { origin } }))
  app.use((_req, res) => void res.send(String(res.locals['cspNonce'])))
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => server.close(resolve)))
  return () => send(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '/') // a TCP server has a port
}

test('sets every header that we have chosen, and no other', async (t) => {
  const { headers, text } = await (await ask(t, 'https://app.example.test'))()
  const { date, etag, connection, ...rest } = headers
  assert.ok(date !== undefined && etag !== undefined && connection !== undefined)
  assert.deepEqual(rest, {
    'content-security-policy': [
      "default-src 'none'",
      `script-src 'nonce-${text}' 'strict-dynamic'`,
      `style-src 'nonce-${text}'`,
      "img-src 'self' data:",
      "connect-src 'self'",
      "font-src 'self'",
      "manifest-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ].join(';'),
    'content-length': '24',
    'content-type': 'text/html; charset=utf-8',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
    'referrer-policy': 'same-origin',
    'strict-transport-security': 'max-age=63072000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  })
})

test('gives every answer a nonce of its own', async (t) => {
  const request = await ask(t, 'https://app.example.test')
  const nonces = await Promise.all(Array.from({ length: 20 }, async () => (await request()).text))
  assert.equal(new Set(nonces).size, 20)
  for (const nonce of nonces) assert.match(nonce, /^[\w-]{24}$/)
})

test('does not ask for https on a plain-http origin', async (t) => {
  const { headers } = await (await ask(t, 'http://localhost:3000'))()
  assert.equal(headers['strict-transport-security'], undefined)
})
