// Signals: what is under way finishes, everything that was started ends, and the exit code says how.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { BrowserClient } from '../support/browser-client.ts'
import { startServerProcess, type ServerProcess } from '../support/server-process.ts'

let cwd: string
let server: ServerProcess

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'shutdown-'))
  server = await startServerProcess({ cwd })
})

afterEach(async () => {
  await server.stop('SIGKILL')
  rmSync(cwd, { recursive: true, force: true })
})

describe('the end of the server', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends with exit code 0 on ${signal}, PocketBase with it`, async () => {
      const pid = pocketbasePid()
      const { code, signal: by } = await server.stop(signal)
      assert.deepEqual([code, by], [0, null])
      assert.equal(isRunning(pid), false)
    })
  }

  it('lets a request finish that is under way, and takes no new one', async () => {
    const browser = new BrowserClient(server.url)
    await browser.register('ann@example.com', 'correct horse 1')
    const body = JSON.stringify({ displayName: 'Ann at the end' })
    const request = await startRequest(browser, '/auth/profile', { body, token: await browser.csrfToken() })
    server.child.kill('SIGTERM')
    await server.printed(/"stopping"/)
    await refusesConnections()
    const answered = once(request, 'data')
    request.write(body)
    const [answer] = (await answered) as [Buffer]
    assert.match(String(answer), /^HTTP\/1\.1 200 /)
    assert.equal((await server.ended).code, 0)
  })

  it('ends at once on a second signal, though a request hangs', async () => {
    const browser = new BrowserClient(server.url)
    const body = '{}'
    await startRequest(browser, '/auth/login', { body, token: await browser.csrfToken() })
    // npm passes on what the terminal has sent already, so an echo within a second is no second signal.
    const started = performance.now()
    while (server.child.exitCode === null && server.child.signalCode === null) {
      server.child.kill('SIGINT')
      await Promise.race([server.ended, delay(100, undefined, { ref: false })])
    }
    assert.equal((await server.ended).code, 1)
    assert.ok(performance.now() - started > 900)
  })
})

/** Sends the head and holds back the body. Resolves when the server has read the head. */
async function startRequest(
  browser: BrowserClient,
  path: string,
  { body, token }: { readonly body: string; readonly token: string },
): Promise<Socket> {
  const { host, hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const head = [
    `${path === '/auth/profile' ? 'PATCH' : 'POST'} ${path} HTTP/1.1`,
    `Host: ${host}`,
    `Origin: ${browser.origin}`,
    `Cookie: ${browser.cookieHeader(path)}`,
    `X-CSRF-Token: ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Expect: 100-continue',
  ]
  const continued = once(socket, 'data')
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const [answer] = (await continued) as [Buffer]
  assert.match(String(answer), /^HTTP\/1\.1 100 /)
  return socket
}

async function refusesConnections(): Promise<void> {
  const { hostname, port } = new URL(server.url)
  for (;;) {
    const socket = connect(Number(port), hostname)
    const refused = await Promise.race([
      once(socket, 'connect').then(() => false),
      once(socket, 'error').then(() => true),
    ]).catch(() => true)
    socket.destroy()
    if (refused) return
  }
}

function pocketbasePid(): number {
  const status = JSON.parse(readFileSync(join(cwd, 'data/pocketbase.json'), 'utf8')) as { pocketbasePid: number }
  assert.ok(isRunning(status.pocketbasePid))
  return status.pocketbasePid
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // no such process
  }
}
