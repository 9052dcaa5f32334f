// Every page, looked at by axe-core: as a visitor, a user and an admin, in light and dark, on a desktop and a phone.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { startApp, type StartedApp } from '../support/app.ts'
import { launchBrowser, runAxe } from '../support/chromium.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'

const PASSWORD = 'seven quiet lanterns'
const EMAIL = 'ada@example.com'

const LOOKS: readonly { readonly name: string; readonly options: BrowserContextOptions }[] = [
  { name: 'light, on a desktop', options: { colorScheme: 'light', viewport: { width: 1280, height: 800 } } },
  { name: 'dark, on a phone', options: { colorScheme: 'dark', viewport: { width: 320, height: 640 } } },
]

const FOR_VISITORS = [
  '/',
  '/login',
  '/register',
  '/forgot-password',
  '/reset-password',
  '/verify-email',
  '/no-such-page',
]
const FOR_ADMINS = ['/account', '/devices', '/verify-email', '/admin', `/admin?q=${EMAIL}`]

describe('every page', () => {
  let pocketbase: TestPocketBase
  let app: StartedApp
  let browser: Browser

  before(async () => {
    pocketbase = await startPocketBase()
    app = await startApp({ pocketbase: pocketbase.url })
    browser = await launchBrowser()
    const account = { email: EMAIL, password: PASSWORD, passwordConfirm: PASSWORD, profile: { displayName: 'Ada' } }
    const registered = await app.browser().json('/auth/register', account)
    assert.equal(registered.status, 201, registered.text)
    await pocketbase.admin.setRole(EMAIL, 'admin')
  })

  after(async () => {
    await browser.close()
    await app.close()
    await pocketbase.stop()
  })

  for (const { name, options } of LOOKS) {
    it(`can be used by everybody and fits the screen, ${name}`, async () => {
      const context = await browser.newContext({ ...options, baseURL: app.origin })
      try {
        const page = await context.newPage()
        for (const path of FOR_VISITORS) await look(page, path)
        await lookAtFailedForm(page)
        await signIn(page)
        for (const path of FOR_ADMINS) await look(page, path)
        await lookAtFoundUser(page)
      } finally {
        await context.close()
      }
    })
  }
})

async function look(page: Page, path: string): Promise<void> {
  await page.goto(path)
  assert.equal(new URL(page.url()).pathname, path.replace(/\?.*/, ''), 'the page itself is shown, not another')
  await assertGood(page, path)
}

async function assertGood(page: Page, what: string): Promise<void> {
  assert.deepEqual(await runAxe(page), [], what)
  const overflow = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  assert.ok(overflow <= 0, `${what} is ${overflow} pixels too wide for the screen`)
}

async function lookAtFailedForm(page: Page): Promise<void> {
  await page.goto('/register')
  await page.getByLabel('E-mail').fill('not an address')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('alert').waitFor()
  await assertGood(page, 'a form that failed')
}

async function signIn(page: Page): Promise<void> {
  await page.goto('/login')
  await page.getByLabel('E-mail').fill(EMAIL)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Account' }).waitFor()
}

async function lookAtFoundUser(page: Page): Promise<void> {
  await page.getByRole('link', { name: EMAIL }).click()
  await page.getByText('This device').waitFor()
  await assertGood(page, 'the sessions of a user')
}
