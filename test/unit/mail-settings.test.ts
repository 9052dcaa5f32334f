import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findMailProblems, parseSender } from '../../server/mail-settings.ts'

test('reads a sender with a name or without', () => {
  const address = 'app@example.com'
  assert.deepEqual(parseSender(`"The App" <${address}>`), { name: 'The App', address })
  assert.deepEqual(parseSender(`The App <${address}>`), { name: 'The App', address })
  assert.deepEqual(parseSender(` <${address}> `), { name: '', address })
  assert.deepEqual(parseSender(` ${address}\n`), { name: '', address })
})

test('refuses what is no sender', () => {
  for (const text of [
    'App',
    'App app@example.com',
    'a@b.c, d@e.f',
    'App <a@b@c>',
    'App <>',
    '@',
    'app@localhost',
    'a@b.c\r\nBcc: d@e.f',
  ]) {
    assert.equal(parseSender(text), null, text)
  }
})

test('refuses an SMTP URL of which no server can be made, and says how one looks', () => {
  const problemsOf = (smtpUrl: string) => findMailProblems({ smtpUrl, mailFrom: null })
  for (const text of [
    'mail.example.com',
    'http://mail.example.com',
    'smtp://',
    'smtp://user:50%off@host',
    'smtp://a b',
  ]) {
    assert.match(problemsOf(text).join(), /^SMTP_URL: must be like/, text)
  }
  for (const text of ['smtp://localhost:25', 'smtps://us%40er:p%25@mail.example.com'])
    assert.deepEqual(problemsOf(text), [])
})
