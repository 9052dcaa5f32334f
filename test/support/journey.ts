// Everything that the product does, once: by script and by form, with what goes well and what goes wrong.
// For tests that look through all answers, logs and bytes of a run.

import type { StartedApp } from './app.ts'
import type { BrowserClient, SeenAnswer } from './browser-client.ts'
import { tokenIn, type MailServer } from './mail.ts'
import type { TestPocketBase } from './pocketbase.ts'

export interface JourneyOptions {
  readonly app: StartedApp
  readonly mail: MailServer
  readonly pocketbase: TestPocketBase
  /** Sent with every request: what a proxy adds. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Journey {
  /** Every answer of every browser. */
  readonly answers: readonly SeenAnswer[]
  /** What must be seen nowhere else than where it belongs. */
  readonly emails: readonly string[]
  readonly passwords: readonly string[]
  /** Sent where a name belongs: an answer tells it to its sender. */
  readonly misplaced: readonly string[]
  readonly mailTokens: readonly string[]
  readonly csrfTokens: readonly string[]
}

/** Canaries: texts that occur by no accident. */
const PASSWORDS = ['first-canary-Pq7', 'second-canary-Wx9', 'third-canary-Zk4', 'mistyped-canary-Rt2'] as const
const MISPLACED = 'misplaced-canary-Hd6'
let count = 0

export async function runJourney({ app, mail, pocketbase, headers = {} }: JourneyOptions): Promise<Journey> {
  count += 1
  const browsers: BrowserClient[] = []
  const open = (): BrowserClient => {
    const browser = app.browser(headers)
    browsers.push(browser)
    return browser
  }
  const ann = `canary-ann-${count}@example.com`
  const bob = `canary-bob-${count}@example.com`
  const mailTokens = [...(await byScript({ open, mail, email: ann })), ...(await byForm({ open, mail, email: bob }))]
  await wrongRequests(open, ann)
  await asAdmin(open, pocketbase, [ann, bob])
  await withoutPocketBase(open, app, { pocketbase, email: ann })
  const answers = browsers.flatMap((browser) => browser.answers)
  return {
    answers,
    emails: [ann, bob],
    passwords: PASSWORDS,
    misplaced: [MISPLACED],
    mailTokens,
    csrfTokens: csrfTokensIn(answers),
  }
}

interface Part {
  readonly open: () => BrowserClient
  readonly mail: MailServer
  readonly email: string
}

async function byScript({ open, mail, email }: Part): Promise<readonly string[]> {
  const [first, second, third, mistyped] = PASSWORDS
  const browser = open()
  await browser.get('/auth/status')
  await browser.json('/auth/register', { email, password: 'short', passwordConfirm: mistyped })
  await browser.register(email, first)
  await browser.get('/auth/status')
  await browser.get('/account')
  await browser.json('/auth/profile', { bio: 'x' }, { method: 'PATCH' })
  await browser.json('/auth/verification')
  const verifying = tokenIn(await mail.next(({ to, subject }) => to.includes(email) && subject.startsWith('Verify')))
  await browser.json('/auth/verification/confirm', { token: verifying })
  await browser.json('/auth/reauthenticate', { password: mistyped })
  await browser.json('/auth/reauthenticate', { password: first })
  const other = open()
  await other.login(email, mistyped)
  await other.login(email, first, { remember: true })
  const { sessions } = (await browser.get('/auth/sessions')).json() as { sessions: { id: string; current: boolean }[] }
  const handle = sessions.find(({ current }) => !current)?.id ?? ''
  await browser.json(`/auth/sessions/${handle}`, undefined, { method: 'DELETE' })
  await other.get('/account')
  await browser.json('/auth/password', { currentPassword: mistyped, password: second, passwordConfirm: second })
  await browser.json('/auth/password', { currentPassword: first, password: second, passwordConfirm: second })
  await browser.json('/auth/sessions/revoke-others')
  await open().json('/auth/password-reset', { email })
  const resetting = tokenIn(await mail.next(({ to, subject }) => to.includes(email) && subject.startsWith('Reset')))
  await open().json('/auth/password-reset/confirm', { token: resetting, password: 'short', passwordConfirm: mistyped })
  await open().json('/auth/password-reset/confirm', { token: resetting, password: third, passwordConfirm: third })
  await open().json('/auth/password-reset/confirm', { token: resetting, password: third, passwordConfirm: third })
  await browser.get('/auth/status')
  await browser.login(email, third)
  await browser.json('/auth/logout-everywhere')
  await browser.login(email, third)
  await browser.json('/auth/logout')
  return [verifying, resetting]
}

async function byForm({ open, mail, email }: Part): Promise<readonly string[]> {
  const [first, second, third, mistyped] = PASSWORDS
  const browser = open()
  for (const path of ['/', '/login', '/register', '/forgot-password', '/nothing-here']) await browser.page(path)
  const account = { email, 'profile.displayName': 'Bob' }
  await browser.form('/auth/register', { ...account, password: first, passwordConfirm: mistyped })
  await browser.form('/auth/register', { ...account, password: first, passwordConfirm: first })
  const verifying = tokenIn(await mail.next(({ to, subject }) => to.includes(email) && subject.startsWith('Verify')))
  await browser.page(`/verify-email?token=${verifying}`)
  await browser.page('/verify-email')
  await browser.form('/auth/verification/confirm', {})
  for (const path of ['/account', '/devices', '/admin', '/login']) await browser.page(path)
  await browser.form('/auth/profile', { displayName: '', bio: 'x' })
  await browser.form('/auth/password', { currentPassword: mistyped, password: second, passwordConfirm: second })
  await browser.form('/auth/password', { currentPassword: first, password: second, passwordConfirm: second })
  await browser.form('/auth/logout', {})
  await browser.page('/account')
  await browser.form('/auth/login', { identity: email, password: mistyped })
  await browser.form('/auth/password-reset', { email })
  const resetting = tokenIn(await mail.next(({ to, subject }) => to.includes(email) && subject.startsWith('Reset')))
  await browser.page(`/reset-password?token=${resetting}`)
  await browser.page('/reset-password')
  await browser.form('/auth/password-reset/confirm', { password: third, passwordConfirm: mistyped })
  await browser.form('/auth/password-reset/confirm', { password: third, passwordConfirm: third })
  await browser.page(`/reset-password?token=${resetting}`)
  await browser.form('/auth/password-reset/confirm', { password: third, passwordConfirm: third })
  await browser.form('/auth/login', { identity: email, password: third, remember: 'true', returnTo: '/devices' })
  await browser.form('/auth/logout-everywhere', {})
  return [verifying, resetting]
}

/** What a clumsy or hostile caller sends, with secrets in the wrong places. */
async function wrongRequests(open: () => BrowserClient, email: string): Promise<void> {
  const [, , password, mistyped] = PASSWORDS
  const browser = open()
  await browser.login(email, password)
  await browser.send('/auth/logout', { method: 'POST' })
  await browser.send('/auth/logout', { method: 'POST', headers: { Origin: 'https://evil.test' } })
  await browser.form('/auth/logout', {}, { Origin: 'https://evil.test' })
  await browser.json('/auth/login', { identity: email, password: mistyped, [MISPLACED]: mistyped })
  await browser.form('/auth/login', { [`{"password":"${MISPLACED}"}`]: '' })
  await browser.json('/auth/login', { identity: { $gt: mistyped }, password: [mistyped] })
  await browser.json('/auth/password', undefined, { headers: { 'Content-Type': 'text/plain' } })
  const unfinished = { Accept: 'application/json', Origin: browser.origin, 'Content-Type': 'application/json' }
  const token = await browser.csrfToken()
  const body = `{"identity": "${email}", "password": "${mistyped}`
  await browser.send('/auth/login', { method: 'POST', headers: { ...unfinished, 'X-CSRF-Token': token }, body })
  await browser.json('/auth/login', { identity: email, password: 'x'.repeat(200_000) })
  await browser.json(`/auth/sessions/${'x'.repeat(22)}`, undefined, { method: 'DELETE' })
  await browser.get('/auth/login')
  await browser.page('/auth/login')
  await browser.get('/%ff')
  await browser.page('/%ff')
  await browser.send('/auth/status', {
    headers: { Cookie: `${browser.cookieHeader('/')}; ${browser.cookieHeader('/')}` },
  })
  await browser.send('/auth/status', { method: 'OPTIONS', headers: { Origin: 'https://evil.test' } })
  for (const path of ['/health/live', '/health/ready']) await browser.get(path)
}

async function asAdmin(
  open: () => BrowserClient,
  pocketbase: TestPocketBase,
  [admin = '', other = '']: readonly string[],
): Promise<void> {
  await pocketbase.admin.setRole(admin, 'admin')
  const browser = open()
  await browser.login(admin, PASSWORDS[2])
  const { users } = (await browser.get(`/auth/admin/users?q=${other}`)).json() as { users: { id: string }[] }
  const id = users[0]?.id ?? ''
  await browser.page(`/admin?q=canary&user=${id}`)
  await browser.get(`/auth/admin/users/${id}/sessions`)
  await browser.form(`/auth/admin/users/${id}/revoke-sessions`, { returnTo: '/admin' })
}

async function withoutPocketBase(
  open: () => BrowserClient,
  app: StartedApp,
  { pocketbase, email }: { readonly pocketbase: TestPocketBase; readonly email: string },
): Promise<void> {
  const browser = open()
  await browser.login(email, PASSWORDS[2])
  await pocketbase.kill()
  app.clock.advance(60_000)
  await browser.get('/account')
  await browser.page('/account')
  await browser.page('/admin')
  await open().login(email, PASSWORDS[2])
  await open().form('/auth/login', { identity: email, password: PASSWORDS[2] })
  await pocketbase.start()
}

function csrfTokensIn(answers: readonly SeenAnswer[]): readonly string[] {
  const texts = answers.flatMap(({ text }) => [
    ...text.matchAll(/"csrfToken":"([\w-]+)"|name="_csrf" value="([\w-]+)"/g),
  ])
  return texts.map(([, json, form]) => json ?? form ?? '')
}
