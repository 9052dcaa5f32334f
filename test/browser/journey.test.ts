// The main journey in a real browser: register, sign out, sign in, look at what is protected, leave.
// Once with scripts and once without, on a desktop and on a phone.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { startApp, type StartedApp } from '../support/app.ts'
import { launchBrowser } from '../support/chromium.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'

const PASSWORD = 'seven quiet lanterns'

const DESKTOP = { viewport: { width: 1280, height: 800 } }
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }

const WAYS = [
  { name: 'on a desktop with scripts', options: { ...DESKTOP, javaScriptEnabled: true } },
  { name: 'on a desktop without scripts', options: { ...DESKTOP, javaScriptEnabled: false } },
  { name: 'on a phone with scripts', options: { ...PHONE, javaScriptEnabled: true } },
  { name: 'on a phone without scripts', options: { ...PHONE, javaScriptEnabled: false } },
]

describe('the journey of a user', () => {
  let pocketbase: TestPocketBase
  let app: StartedApp
  let browser: Browser

  before(async () => {
    pocketbase = await startPocketBase()
    app = await startApp({ pocketbase: pocketbase.url })
    browser = await launchBrowser()
  })

  after(async () => {
    await browser.close()
    await app.close()
    await pocketbase.stop()
  })

  for (const [index, { name, options }] of WAYS.entries()) {
    it(`leads from registration to a protected page and out again, ${name}`, async () => {
      const context = await browser.newContext({ ...options, baseURL: app.origin })
      try {
        const page = await context.newPage()
        const email = `browser${index}@example.com`
        await register(page, email)
        await assertOnlySessionCookie(context)
        await saveProfile(page)
        await seeDevice(page)
        await signOutAndGoBack(page)
        await mistypePassword(page, email)
        await signIn(page)
      } finally {
        await context.close()
      }
    })
  }
})

async function register(page: Page, email: string): Promise<void> {
  await page.goto('/account')
  assert.equal(new URL(page.url()).pathname, '/login', 'a visitor is sent to sign in')
  await page.getByRole('link', { name: 'Create an account' }).click()
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('New password again').fill('something else')
  await page.getByLabel('Display name').fill('Ada')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('alert').waitFor()
  assert.equal(await page.getByLabel('E-mail').inputValue(), email, 'what was typed is kept')
  assert.equal(await page.getByLabel('New password', { exact: true }).inputValue(), '', 'passwords are not')
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('New password again').fill(PASSWORD)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('heading', { name: 'Account' }).waitFor()
  await page.getByText(email).waitFor()
}

/** Signed in, the browser holds one cookie, and no script can read it. */
async function assertOnlySessionCookie(context: BrowserContext): Promise<void> {
  const cookies = await context.cookies()
  assert.equal(cookies.length, 1, cookies.map((cookie) => cookie.name).join(', '))
  assert.equal(cookies[0]?.httpOnly, true)
  const { origins } = await context.storageState()
  assert.deepEqual(origins, [], 'nothing is kept in local storage')
}

async function saveProfile(page: Page): Promise<void> {
  assert.equal(await page.getByLabel('Display name').inputValue(), 'Ada')
  await page.getByLabel('Display name').fill('Ada Lovelace')
  await page.getByRole('button', { name: 'Save profile' }).click()
  await page.getByRole('status').filter({ hasText: 'saved' }).waitFor()
  assert.equal(await page.getByLabel('Display name').inputValue(), 'Ada Lovelace')
}

async function seeDevice(page: Page): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: 'Devices' }).click()
  await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor()
  await page.getByText('This device').waitFor()
}

async function signOutAndGoBack(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.goBack()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(await page.getByText('This device').count(), 0, 'the Back button shows nothing of the session')
}

async function mistypePassword(page: Page, email: string): Promise<void> {
  await page.goto('/account')
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').waitFor()
  assert.equal(await page.getByLabel('E-mail').inputValue(), email)
  assert.equal(await page.getByLabel('Password').inputValue(), '')
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Account' }).waitFor()
  assert.equal(new URL(page.url()).pathname, '/account', 'back to where they wanted to go')
  assert.equal(await page.getByLabel('Display name').inputValue(), 'Ada Lovelace')
}
