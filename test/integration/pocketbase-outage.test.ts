// A definite no, an outage, and a PocketBase that is slow: told apart, within the deadline.

import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { PocketBaseUnavailableError, ProblemError } from '../../server/errors.ts'
import type { PocketBasePort } from '../../server/pocketbase/port.ts'
import { clientOf, newUser, VISITOR } from '../support/pocketbase-client.ts'
import { withStranger } from '../support/stranger.ts'
import { startPocketBase } from '../support/pocketbase.ts'
import type { TestPocketBase } from '../support/pocketbase.ts'

let server: TestPocketBase
let pocketbase: PocketBasePort

before(async () => {
  server = await startPocketBase()
  pocketbase = clientOf(server.url)
})
after(() => server.stop())

/** Every call that decides over a session. */
function decisiveCalls(port: PocketBasePort, token: string): readonly (() => Promise<unknown>)[] {
  return [
    () => port.authRefresh(token, VISITOR),
    () => port.rotateTokens(token, VISITOR),
    () => port.authWithPassword({ identity: 'a@example.com', password: 'password12' }, VISITOR),
    () => port.getUser({ token, userId: 'x' }, VISITOR),
    () => port.confirmPasswordReset({ token, password: 'password12' }, VISITOR),
    () => port.confirmVerification(token, VISITOR),
  ]
}

async function assertUnavailable(port: PocketBasePort, token: string, label: string): Promise<void> {
  for (const [index, call] of decisiveCalls(port, token).entries()) {
    await assert.rejects(call, PocketBaseUnavailableError, `${label}, call ${index}`)
  }
}

describe('what is not PocketBase', () => {
  test('says nothing about a session, whatever its status', async () => {
    const { token } = await newUser(pocketbase)
    const json = { 'Content-Type': 'application/json' }
    const answers: readonly (readonly [string, RequestListener])[] = [
      ['401 of a proxy', (_, res) => res.writeHead(401, { 'WWW-Authenticate': 'Basic' }).end('Unauthorized')],
      ['401 in another JSON', (_, res) => res.writeHead(401, json).end('{"message":"no","code":401}')],
      ['403 page', (_, res) => res.writeHead(403, { 'Content-Type': 'text/html' }).end('<h1>Forbidden</h1>')],
      ['200 page', (_, res) => res.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Log in to the WLAN</h1>')],
      [
        '200 that is cut',
        (_, res) => {
          res.writeHead(200, { ...json, 'Content-Length': '99' }).write('{"token":')
          setImmediate(() => res.destroy())
        },
      ],
      ['500', (_, res) => res.writeHead(500, json).end('{"status":500,"message":"Oops.","data":{}}')],
      ['reset', (req) => req.socket.destroy()],
    ]
    for (const [label, listener] of answers) {
      await withStranger(listener, (url) => assertUnavailable(clientOf(url), token, label))
    }
  })

  test('gets no token by a redirect', async () => {
    const { token } = await newUser(pocketbase)
    const seen: IncomingMessage[] = []
    await withStranger(
      (req, res) => {
        seen.push(req)
        res.end()
      },
      (target) =>
        withStranger(
          (_, res) => res.writeHead(307, { Location: `${target}/stolen` }).end(),
          async (url) => {
            await assertUnavailable(clientOf(url), token, 'redirect')
          },
        ),
    )
    assert.deepEqual(seen, [])
  })

  test('a record of another collection is not taken for a user', async () => {
    const { token, userId } = await newUser(pocketbase)
    const record = { id: userId, collectionId: '_pb_users_auth_', collectionName: 'clients' }
    const body = JSON.stringify({ token, record })
    await withStranger(
      (_, res) => res.writeHead(200, { 'Content-Type': 'application/json' }).end(body),
      async (url) => {
        await assert.rejects(clientOf(url).authRefresh(token, VISITOR), PocketBaseUnavailableError)
      },
    )
  })
})

test('every call carries the address and the browser of the visitor, and the token only where it belongs', async () => {
  const { token } = await newUser(pocketbase)
  const seen: IncomingMessage['headers'][] = []
  const client = { ip: '2001:db8::7', userAgent: 'Mozilla/5.0\r\nX-Evil: 1 Füü' }
  await withStranger(
    (req, res) => {
      seen.push(req.headers)
      res.writeHead(404, { 'Content-Type': 'application/json' }).end('{"status":404,"message":"","data":{}}')
    },
    async (url) => {
      const port = clientOf(url)
      await port.authRefresh(token, client).catch(() => undefined)
      await port.authWithPassword({ identity: 'a', password: 'b' }, client).catch(() => undefined)
      await port.getUser({ token, userId: 'x' }, { ...client, ip: 'no address\r\nX-Evil: 1' })
    },
  )
  assert.deepEqual(
    seen.map((headers) => [headers['x-real-ip'], headers['user-agent'], headers.authorization]),
    [
      ['2001:db8::7', 'Mozilla/5.0X-Evil: 1 F', token],
      ['2001:db8::7', 'Mozilla/5.0X-Evil: 1 F', undefined],
      [undefined, 'Mozilla/5.0X-Evil: 1 F', token],
    ],
  )
  assert.ok(seen.every((headers) => headers['x-evil'] === undefined))
})

describe('a PocketBase that is away', () => {
  test('is an outage while it hangs, after the deadline', async () => {
    const { token } = await newUser(pocketbase)
    // A call without an answer may still take effect, so one user is asked about and another one is looked at.
    const other = await newUser(pocketbase)
    await server.pause()
    try {
      await assertUnavailable(clientOf(server.url, { timeoutMs: 200 }), token, 'hanging')
      const ended: number[] = []
      const deadlines = [2000, 200].map(async (timeoutMs) => {
        const call = clientOf(server.url, { timeoutMs }).authRefresh(token, VISITOR)
        await assert.rejects(call, PocketBaseUnavailableError)
        ended.push(timeoutMs)
      })
      await Promise.all(deadlines)
      assert.deepEqual(ended, [200, 2000])
    } finally {
      server.resume()
    }
    assert.equal((await pocketbase.authRefresh(other.token, VISITOR)).kind, 'ok')
  })

  test('is an outage while it is dead, and the tokens are good when it is back', async () => {
    const { email, password, token } = await newUser(pocketbase)
    await server.kill()
    await assertUnavailable(pocketbase, token, 'dead')
    await server.start()
    assert.equal((await pocketbase.authRefresh(token, VISITOR)).kind, 'ok')
    assert.equal((await pocketbase.authWithPassword({ identity: email, password }, VISITOR)).kind, 'ok')
  })

  test('what is logged holds neither token nor password', async () => {
    const lines: string[] = []
    const log = (details: object, message?: string): void => void lines.push(JSON.stringify(details) + message)
    const logger = { debug: log, info: log, warn: log, error: log }
    const { token } = await newUser(pocketbase)
    await withStranger(
      (_, res) => res.writeHead(401).end('no'),
      async (url) => {
        await assertUnavailable(clientOf(url, { logger }), token, 'logged')
      },
    )
    assert.ok(lines.length > 0)
    for (const line of lines) assert.doesNotMatch(line, /eyJ|password12/)
  })
})

describe('the rules of the collection', () => {
  test('an authRule that is not met is told apart from a wrong password and from a dead token', async () => {
    const { email, password } = await newUser(pocketbase)
    await server.admin.setAuthRule('verified = true')
    try {
      assert.deepEqual(await pocketbase.authWithPassword({ identity: email, password }, VISITOR), {
        kind: 'not_allowed',
      })
      const wrong = await pocketbase.authWithPassword({ identity: email, password: 'wrong-password' }, VISITOR)
      assert.deepEqual(wrong, { kind: 'wrong' })
      await server.admin.updateUser(email, { verified: true })
      const signedIn = await pocketbase.authWithPassword({ identity: email, password }, VISITOR)
      assert.ok(signedIn.kind === 'ok')
      await server.admin.updateUser(email, { verified: false })
      assert.deepEqual(await pocketbase.authRefresh(signedIn.token, VISITOR), { kind: 'not_allowed' })
    } finally {
      await server.admin.setAuthRule('')
    }
  })

  test('the limit of PocketBase counts per visitor, and is passed on with a time to wait', async () => {
    const admin = await server.admin.client()
    const rules = [{ label: 'users:authWithPassword', duration: 60, maxRequests: 2 }]
    await admin.settings.update({ rateLimits: { enabled: true, rules } })
    try {
      const login = (ip: string): Promise<unknown> => {
        return pocketbase.authWithPassword({ identity: 'x@example.com', password: 'password12' }, { ...VISITOR, ip })
      }
      assert.deepEqual(
        [await login('198.51.100.1'), await login('198.51.100.1')],
        [{ kind: 'wrong' }, { kind: 'wrong' }],
      )
      await assert.rejects(login('198.51.100.1'), (error: unknown) => {
        return error instanceof ProblemError && error.code === 'rate_limited' && error.retryAfter !== undefined
      })
      assert.deepEqual(await login('198.51.100.2'), { kind: 'wrong' })
    } finally {
      await admin.settings.update({ rateLimits: { enabled: false } })
    }
  })

  test('a login that wants a second factor says so', async () => {
    const { email, password } = await newUser(pocketbase)
    const admin = await server.admin.client()
    await admin.collections.update('users', { otp: { enabled: true }, mfa: { enabled: true } })
    try {
      assert.deepEqual(await pocketbase.authWithPassword({ identity: email, password }, VISITOR), { kind: 'mfa' })
    } finally {
      await admin.collections.update('users', { otp: { enabled: false }, mfa: { enabled: false } })
    }
  })
})
