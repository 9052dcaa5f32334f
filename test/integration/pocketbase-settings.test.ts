// What our configuration says holds at every start, and signs nobody out. Mails without a mail server are files.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { serve } from '../../server/pocketbase/launcher/serve.ts'
import { ASSETS_DIR } from '../../server/pocketbase/launcher/assets.ts'
import { childEnvironment } from '../../server/pocketbase/launcher/environment.ts'
import { findBinary } from '../../server/pocketbase/launcher/find-binary.ts'
import { findFreePort } from '../../server/pocketbase/launcher/free-port.ts'
import { parseMail, tokenIn } from '../support/mail.ts'
import { clientOf, newUser, VISITOR } from '../support/pocketbase-client.ts'
import { startPocketBase } from '../support/pocketbase.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

async function firstFile(folder: string): Promise<string> {
  // A file system has no event for "a file that is not there yet"; this ends with the first one.
  for (;;) {
    try {
      const [name] = readdirSync(folder).filter((file) => file.endsWith('.eml'))
      if (name !== undefined) return join(folder, name)
    } catch {
      // The folder is made with the first mail.
    }
    await delay(20)
  }
}

test(
  'a mail without a mail server is a file that a mail program opens, for its owner only',
  { timeout: 30_000 },
  async () => {
    const server = await startPocketBase({ appUrl: 'https://app.example.com/' })
    try {
      const pocketbase = clientOf(server.url)
      const admin = await server.admin.client()
      await admin.settings.update({ meta: { appName: 'Größe "App"', senderName: 'Größe, "App"' } })
      const { email } = await newUser(pocketbase)
      await pocketbase.requestVerification(email, VISITOR)
      const file = await firstFile(server.mailDir)
      assert.equal(statSync(file).mode & 0o777, 0o600)
      assert.equal(statSync(server.mailDir).mode & 0o777, 0o700)
      const mail = await parseMail(readFileSync(file))
      assert.equal(mail.to, email)
      assert.equal(mail.from, '"Größe, \\"App\\"" <app@example.com>')
      assert.equal(mail.subject, 'Verify your Größe "App" e-mail')
      assert.match(mail.links[0]?.href ?? '', /^https:\/\/app\.example\.com\/verify-email\?token=eyJ/)
      assert.ok(mail.text.includes(mail.links[0]?.href ?? '-'))
      assert.equal((await pocketbase.confirmVerification(tokenIn(mail), VISITOR)).kind, 'ok')
    } finally {
      await server.stop()
    }
  },
)

test(
  'a changed configuration holds from the next start, tokens live on, a changed password too',
  { timeout: 30_000 },
  async () => {
    const server = await startPocketBase({ tokenSeconds: 1000 })
    try {
      const pocketbase = clientOf(server.url)
      const { token } = await newUser(pocketbase)
      assert.equal((await pocketbase.report()).tokenLifeMs, 1_000_000)
      await server.kill()
      const superuser = { ...server.superuser, password: 'another-password' }
      const next = await startAgain(server.dataDir, { tokenLifeMs: 2_000_000, superuser })
      try {
        const again = clientOf(next.url)
        assert.equal((await again.report()).tokenLifeMs, 2_000_000)
        assert.equal((await again.authRefresh(token, VISITOR)).kind, 'ok')
        const login = await fetch(`${next.url}/api/collections/_superusers/auth-with-password`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ identity: superuser.email, password: superuser.password }),
        })
        assert.equal(login.status, 200)
      } finally {
        await next.stop()
      }
    } finally {
      await server.stop()
    }
  },
)

async function startAgain(
  dataDir: string,
  settings: { readonly tokenLifeMs: number; readonly superuser: { readonly email: string; readonly password: string } },
) {
  const binary = await findBinary({ env: process.env, logger, bin: process.env['POCKETBASE_BIN'] ?? null })
  const env = childEnvironment(process.env, {
    appUrl: 'http://localhost:3000',
    appName: 'Test app',
    smtpUrl: null,
    mailDir: join(dataDir, 'mail'),
    mailFrom: null,
    ...settings,
  })
  const port = await findFreePort()
  return serve({ binary: binary.path, dir: join(dataDir, 'pb'), assetsDir: ASSETS_DIR, env, logger, port })
}
