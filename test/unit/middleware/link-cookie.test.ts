import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { clearLink, putLink, readLink } from '../../../server/middleware/link-cookie.ts'
import { cookiePair } from '../../support/http-client.ts'
import { startWeb, type Web } from '../../support/web.ts'

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJpZCI6InUifQ.c2lnbmF0dXJl'

function start(t: TestContext): Promise<Web> {
  return startWeb(t, {
    build: (app, services) => {
      app.get('/put', (req, res) => {
        putLink(services, res, String(req.query['token']))
        res.end()
      })
      app.get('/clear', (req, res) => {
        clearLink(services, res)
        res.json({ token: readLink(services, req) })
      })
      app.get('/read', (req, res) => void res.json({ token: readLink(services, req) }))
    },
  })
}

const read = async (web: Web, cookie: string): Promise<unknown> =>
  (await web.send('/read', { headers: { Cookie: cookie } })).json()['token']

test('keeps a token of a mail link, sealed, in a cookie that no script reads', async (t) => {
  const web = await start(t)
  const answer = await web.send(`/put?token=${TOKEN}`)
  assert.match(answer.cookies[0] ?? '', /; Max-Age=1800; Path=\/; HttpOnly; SameSite=Lax$/)
  const cookie = cookiePair(answer, web.services.config.cookie.linkName)
  assert.equal(await read(web, cookie), TOKEN)
  assert.equal(Buffer.from(cookie.split('=')[1] ?? '', 'base64url').includes('eyJ'), false)
})

test('forgets it after 30 minutes', async (t) => {
  const web = await start(t)
  const cookie = cookiePair(await web.send(`/put?token=${TOKEN}`), web.services.config.cookie.linkName)
  web.clock.advance(30 * 60_000 - 1)
  assert.equal(await read(web, cookie), TOKEN)
  web.clock.advance(2)
  assert.equal(await read(web, cookie), null)
})

test('reads no cookie that it has not sealed, and none of two', async (t) => {
  const web = await start(t)
  const { linkName, preName } = web.services.config.cookie
  const cookie = cookiePair(await web.send(`/put?token=${TOKEN}`), linkName)
  const last = cookie.at(-1) === 'A' ? 'B' : 'A'
  for (const wrong of [
    `${linkName}=`,
    `${linkName}=x`,
    `${cookie}!`,
    cookie.slice(0, -9),
    `${cookie.slice(0, -9)}${last}${cookie.slice(-8)}`,
    `${cookie}; ${cookie}`,
    cookie.replace(linkName, preName),
  ]) {
    assert.equal(await read(web, wrong), null, wrong)
  }
})

test('is gone from this request on once it is cleared', async (t) => {
  const web = await start(t)
  const cookie = cookiePair(await web.send(`/put?token=${TOKEN}`), web.services.config.cookie.linkName)
  const answer = await web.send('/clear', { headers: { Cookie: cookie } })
  assert.equal(answer.json()['token'], null)
  assert.match(
    answer.cookies[0] ?? '',
    /-link=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax$/,
  )
})

test('takes no token that a browser would drop', async (t) => {
  const web = await start(t)
  assert.deepEqual((await web.send(`/put?token=${'x'.repeat(3000)}`)).cookies, [])
})
