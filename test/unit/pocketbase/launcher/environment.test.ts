// What the started PocketBase is told, and what it must not learn.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { childEnvironment } from '../../../../server/pocketbase/launcher/environment.ts'

const settings = {
  appUrl: 'https://app.example.com',
  appName: 'App',
  smtpUrl: null,
  mailDir: '/data/mail',
  mailFrom: null,
  tokenLifeMs: 90_500,
  superuser: { email: 'root@example.com', password: 'secret' },
}

test('passes on nothing of our environment that it does not need', () => {
  const own = { PATH: '/bin', HOME: '/root', SESSION_SECRET: 's', NODE_OPTIONS: '--inspect', SMTP_URL: 'smtp://u:p@h' }
  const env = childEnvironment(own, settings)
  assert.equal(env['PATH'], '/bin')
  for (const name of ['SESSION_SECRET', 'NODE_OPTIONS', 'SMTP_URL']) assert.equal(env[name], undefined, name)
})

test('sends mails to files without SMTP, with a token life in whole seconds', () => {
  const env = childEnvironment({}, settings)
  assert.equal(env['PB_MAIL_DIR'], '/data/mail')
  assert.equal(env['PB_SMTP_HOST'], undefined)
  assert.equal(env['PB_AUTH_TOKEN_SECONDS'], '91')
  assert.equal(env['PB_SENDER_NAME'], 'App')
  assert.equal(env['PB_SENDER_ADDRESS'], 'noreply@app.example.com')
})

test('has an address to send from that PocketBase takes, wherever the app is', () => {
  for (const appUrl of ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000']) {
    assert.equal(childEnvironment({}, { ...settings, appUrl })['PB_SENDER_ADDRESS'], 'noreply@localhost.localdomain')
  }
})

test('takes an SMTP URL and a sender apart', () => {
  const smtpUrl = 'smtps://us%40er:p%3Ass@mail.example.com'
  const env = childEnvironment({}, { ...settings, smtpUrl, mailFrom: '"The App" <app@example.com>' })
  assert.equal(env['PB_MAIL_DIR'], undefined)
  assert.equal(env['PB_SMTP_HOST'], 'mail.example.com')
  assert.equal(env['PB_SMTP_PORT'], '465')
  assert.equal(env['PB_SMTP_USERNAME'], 'us@er')
  assert.equal(env['PB_SMTP_PASSWORD'], 'p:ss')
  assert.equal(env['PB_SMTP_TLS'], '1')
  assert.equal(env['PB_SENDER_NAME'], 'The App')
  assert.equal(env['PB_APP_NAME'], 'The App')
  assert.equal(env['PB_SENDER_ADDRESS'], 'app@example.com')
  const plain = childEnvironment({}, { ...settings, smtpUrl: 'smtp://localhost:2525', mailFrom: 'app@example.com' })
  assert.equal(plain['PB_SMTP_PORT'], '2525')
  assert.equal(plain['PB_SMTP_TLS'], '0')
  assert.equal(plain['PB_SENDER_ADDRESS'], 'app@example.com')
})
