// An app moves to another store by changing SESSION_STORE and nothing else: the same server answers the same.

import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { BrowserClient, type SeenAnswer } from '../support/browser-client.ts'
import { newEmail, stateOf } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { runCli, startServerProcess } from '../support/server-process.ts'
import { storeServers } from '../support/store-servers.ts'
import { temporaryFolder } from '../support/stores.ts'

const OLD = 'correct horse'
const NEW = 'battery staple'

let pocketbase: TestPocketBase
before(async () => {
  pocketbase = await startPocketBase()
})
after(() => pocketbase?.stop())

describe('SESSION_STORE alone', () => {
  let usual: Promise<readonly string[]> | undefined

  for (const { name, start } of storeServers) {
    it(`moves the server to ${name}`, async (t) => {
      const server = await start()
      t.after(() => server.stop())
      usual ??= journey(t, {})
      const expected = await usual
      assert.ok(expected.length > 20)
      assert.deepEqual(await journey(t, { SESSION_STORE: server.url() }), expected)
    })
  }
})

/** What a visitor does, over two starts of the server. Answers what came of each step. */
async function journey(t: TestContext, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const common = { POCKETBASE_URL: pocketbase.url, SESSION_COOKIE_NAME: 'session', LOG_LEVEL: 'warn' }
  const options = { cwd: temporaryFolder(t), env: { ...common, ...env } }
  const steps: string[] = []
  const first = await startServerProcess(options)
  t.after(() => first.stop('SIGKILL'))
  const home = new BrowserClient(first.url)
  await signUpAndChange(home, steps)
  assert.equal((await first.stop()).code, 0)
  assert.doesNotMatch(first.output(), /"store"|"level":[56]0/, 'there was something to say about the store')

  const second = await startServerProcess(options)
  t.after(() => second.stop('SIGKILL'))
  const again = new BrowserClient(second.url)
  for (const [cookie, value] of home.cookies) again.cookies.set(cookie, value)
  steps.push(`after a restart: ${String(await stateOf(again))}`)
  const listed = await runCli(['sessions', 'list'], options)
  steps.push(`listed: ${listed.code}, ${listed.output.trim().split('\n').length} lines`)
  note(steps, await again.json('/auth/logout'))
  steps.push(`after logout: ${String(await stateOf(again))}`)
  assert.equal((await second.stop()).code, 0)
  return steps
}

async function signUpAndChange(home: BrowserClient, steps: string[]): Promise<void> {
  const email = newEmail('mover')
  const state = async (who: string, browser: BrowserClient) => steps.push(`${who}: ${String(await stateOf(browser))}`)
  note(steps, await home.get('/health/ready'))
  note(steps, await home.page('/account'))
  note(steps, await home.login(email, OLD))
  note(steps, await home.register(email, OLD))
  note(steps, await home.page('/account'))
  note(steps, await home.json('/auth/profile', { bio: 'x' }, { method: 'PATCH' }))

  const [laptop, phone, tablet] = [1, 2, 3].map(() => new BrowserClient(home.url))
  assert.ok(laptop && phone && tablet)
  for (const device of [laptop, phone, tablet]) note(steps, await device.login(email, OLD, { remember: true }))
  note(steps, await laptop.form('/auth/login', { identity: email, password: 'wrong' }))
  note(steps, await home.get('/auth/sessions'))
  const { session } = (await phone.get('/auth/status')).json() as { readonly session: { readonly id: string } }
  note(steps, await home.json(`/auth/sessions/${session.id}`, undefined, { method: 'DELETE' }), '/auth/sessions/:id')
  await state('phone', phone)
  note(steps, await home.json('/auth/reauthenticate', { password: OLD }))
  note(steps, await home.json('/auth/password', { currentPassword: OLD, password: NEW, passwordConfirm: NEW }))
  await state('tablet', tablet)
  await state('home', home)
  note(steps, await tablet.login(email, OLD))
  note(steps, await tablet.login(email, NEW))
  note(steps, await home.json('/auth/sessions/revoke-others'))
  await state('tablet', tablet)
  note(steps, await home.page('/devices'))
}

/** Status and fields of an answer; what they say differs from run to run. */
function note(steps: string[], answer: SeenAnswer, path = answer.path): void {
  const isJson = String(answer.headers['content-type']).includes('json')
  const fields = isJson ? Object.keys(answer.json()).join() : ''
  steps.push(`${answer.method} ${path}: ${answer.status} ${fields}`)
}
