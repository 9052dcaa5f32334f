// `pocketbase-session serve` as its users start it, and the commands beside it.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { BrowserClient } from '../support/browser-client.ts'
import { runCli, startServerProcess, type ServerProcess } from '../support/server-process.ts'

const PASSWORD = 'correct horse 1'

describe('npm start on a fresh folder', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'start-up-'))
  let server: ServerProcess
  let browser: BrowserClient

  before(async () => {
    server = await startServerProcess({ cwd })
    browser = new BrowserClient(server.url)
  })
  after(async () => {
    await server.stop()
    rmSync(cwd, { recursive: true, force: true })
  })

  it('prints one address to open, the dashboard, where mails go and how to make an admin', async () => {
    await server.printed(/Stop +Ctrl-C/)
    const output = server.output()
    assert.equal(output.match(/^ +Open +/gm)?.length, 1)
    assert.match(output, /Dashboard +http:\/\/127\.0\.0\.1:\d+\/_\/ as \S+@\S+\n +password in data\/superuser\.json/)
    assert.match(output, /Mails +written to data\/mail/)
    assert.match(output, /Admin +.*users set-role EMAIL admin/)
  })

  it('prints no secret', () => {
    const { password } = JSON.parse(readFileSync(join(cwd, 'data/superuser.json'), 'utf8')) as { password: string }
    const secret = readFileSync(join(cwd, 'data/secret'), 'utf8').trim()
    assert.ok(password.length > 16 && secret.length > 32)
    assert.equal(server.output().includes(password) || server.output().includes(secret), false)
  })

  it('keeps secret, sessions and password where only their owner can read them', () => {
    for (const file of ['secret', 'sessions.db', 'superuser.json']) {
      assert.equal(statSync(join(cwd, 'data', file)).mode & 0o077, 0, file)
    }
  })

  it('is alive and ready, without a cookie', async () => {
    const live = await browser.get('/health/live')
    const ready = await browser.get('/health/ready')
    assert.deepEqual([live.status, ready.status], [200, 200])
    assert.deepEqual(ready.json(), { status: 'ok' })
    assert.deepEqual([...live.cookies, ...ready.cookies], [])
    assert.equal(live.headers['x-powered-by'], undefined)
  })

  it('serves the home page', async () => {
    const home = await browser.page('/')
    assert.equal(home.status, 200)
    assert.match(String(home.headers['content-type']), /^text\/html/)
  })

  it('logs a request without its query, which holds tokens of mails', async () => {
    await browser.page('/login?token=hunter2&returnTo=%2Fx')
    await server.printed(/"path":"\/login","status":200/)
    assert.doesNotMatch(server.output(), /hunter2/)
  })

  it('makes somebody an admin by the command that it printed', async () => {
    assert.equal((await browser.register('ann@example.com', PASSWORD)).status, 201)
    assert.equal((await browser.get('/admin')).status, 403)
    const done = await runCli(['users', 'set-role', 'ANN@example.com', 'admin'], { cwd })
    assert.equal(done.code, 0, done.output)
    assert.equal((await browser.get('/admin')).status, 200)
    const list = await runCli(['users', 'list', 'ann'], { cwd })
    assert.match(list.output, /ann@example\.com +admin/)
  })

  it('refuses a role and a user that are not there, in words', async () => {
    const role = await runCli(['users', 'set-role', 'ann@example.com', 'king'], { cwd })
    assert.deepEqual([role.code, /user, editor and admin/.test(role.output)], [1, true])
    const user = await runCli(['users', 'set-role', 'bob@example.com', 'admin'], { cwd })
    assert.deepEqual([user.code, /no user with the e-mail/.test(user.output)], [1, true])
  })

  it('lists and ends sessions from the command line', async () => {
    assert.match((await runCli(['sessions', 'list', 'ann@example.com'], { cwd })).output, /Firefox on Linux/)
    const ended = await runCli(['sessions', 'end', 'ann@example.com'], { cwd })
    assert.match(ended.output, /Ended 1 session of ann@example\.com/)
    const status = (await browser.get('/auth/status')).json()
    assert.deepEqual([status['authenticated'], status['reason']], [false, 'admin_revoked'])
  })

  it('does not start a second server on the same data, and says what to do', async () => {
    const second = await runCli(['serve'], { cwd })
    assert.equal(second.code, 1)
    assert.match(second.output, new RegExp(`process ${server.child.pid}\\).*POCKETBASE_URL=http`))
    assert.equal((await browser.get('/health/live')).status, 200)
  })

  it('names the command that helps where the port is in use', async () => {
    const { port } = new URL(server.url)
    const second = await runCli(['serve'], { cwd, env: { PORT: port, DATA_DIR: 'elsewhere' } })
    assert.equal(second.code, 1)
    assert.match(second.output, new RegExp(`Port ${port} is already in use.*PORT=${Number(port) + 1}`))
  })

  it('finds nothing wrong by doctor', async () => {
    const doctor = await runCli(['doctor'], { cwd })
    assert.equal(doctor.code, 0, doctor.output)
    assert.match(doctor.output, /✓ session store[^]*✓ PocketBase at/)
  })

  it('keeps everybody signed in over a restart', async () => {
    const { port } = new URL(server.url)
    assert.equal((await browser.login('ann@example.com', PASSWORD)).status, 200)
    await server.stop()
    // The cookie carries the port in its name, as the origin is plain http.
    server = await startServerProcess({ cwd, env: { PORT: port } })
    const account = await browser.get('/account')
    assert.equal(account.status, 200)
  })
})

describe('a start that cannot be', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'start-up-'))
  after(() => rmSync(cwd, { recursive: true, force: true }))

  it('lists everything that is unsafe in production, touches nothing and prints no value', async () => {
    const env = {
      NODE_ENV: 'production',
      SESSION_SECRET: 'hunter2-hunter2',
      SESSION_STORE: 'memory:',
      TRUST_PROXY: 'all',
      POCKETBASE_URL: 'http://pocketbase.example.test:8090',
    }
    const { code, output } = await runCli(['serve'], { cwd, env })
    assert.equal(code, 1)
    for (const name of ['ORIGIN', 'SESSION_SECRET', 'SESSION_STORE', 'TRUST_PROXY', 'POCKETBASE_URL']) {
      assert.match(output, new RegExp(`^  - ${name}: `, 'm'))
    }
    assert.doesNotMatch(output, /hunter2|pocketbase\.example/)
    assert.equal(existsSync(join(cwd, 'data')), false)
  })

  it('logs every override at every start', async () => {
    const env = {
      NODE_ENV: 'production',
      ORIGIN: 'http://localhost:3000',
      SESSION_SECRET: 'Zq3v8Kx1Lm5Rt7Wb9Yd2Hf4Jg6NcPsAu',
      SESSION_STORE: 'memory:',
      POCKETBASE_URL: 'http://127.0.0.1:9',
      UNSAFE_INSECURE_COOKIES: 'true',
      UNSAFE_MEMORY_STORE: 'true',
    }
    const server = await startServerProcess({ cwd, env })
    const { code, output } = await server.stop()
    assert.equal(code, 0)
    assert.match(output, /config_unsafe_override","name":"insecureCookies"/)
    assert.match(output, /config_unsafe_override","name":"memoryStoreInProduction"/)
  })

  it('reads .env, and says which of its variables is wrong', async () => {
    writeFileSync(join(cwd, '.env'), 'SESSION_IDLE_TIMEOUT=soon\n')
    const { code, output } = await runCli(['serve'], { cwd })
    rmSync(join(cwd, '.env'))
    assert.equal(code, 1)
    assert.match(output, /SESSION_IDLE_TIMEOUT: must be a duration like/)
  })

  it('says so where the certificate is none', async () => {
    writeFileSync(join(cwd, 'cert.pem'), 'no certificate')
    const { code, output } = await runCli(['serve'], { cwd, env: { TLS_CERT: 'cert.pem', TLS_KEY: 'cert.pem' } })
    assert.equal(code, 1)
    assert.match(output, /TLS_CERT and TLS_KEY: not a certificate/)
  })
})
