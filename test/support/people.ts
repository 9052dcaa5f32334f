// Registered users for tests of flows: each with an address of their own and a browser that is signed in.

import type { LiveSession } from '../../server/sessions/live-session.ts'
import type { StartedApp } from './app.ts'
import type { BrowserClient, SeenAnswer } from './browser-client.ts'

export interface Person {
  readonly browser: BrowserClient
  readonly email: string
  readonly password: string
  readonly userId: string
}

/** Both passwords of every person; tests compare answers, so they must not vary. */
export const PASSWORD = 'correct horse'
export const NEW_PASSWORD = 'battery staple'

let count = 0

export function newEmail(name = 'person'): string {
  count += 1
  return `${name}${count}@example.com`
}

/** Registers somebody new. */
export async function newPerson(app: StartedApp, name = 'person'): Promise<Person> {
  const email = newEmail(name)
  const browser = app.browser()
  const answer = await browser.register(email, PASSWORD)
  if (answer.status !== 201) throw new Error(`not registered: ${answer.status} ${answer.text}`)
  const { user } = answer.json() as { readonly user: { readonly id: string } }
  return { browser, email, password: PASSWORD, userId: user.id }
}

/** The same person in another browser. */
export async function anotherBrowser(app: StartedApp, { email, password }: Person): Promise<BrowserClient> {
  const browser = app.browser()
  const answer = await browser.login(email, password)
  if (answer.status !== 200) throw new Error(`not signed in: ${answer.status} ${answer.text}`)
  return browser
}

/** What `/auth/status` says of a browser: `signed in`, or why not (`null` where it never was). */
export async function stateOf(browser: BrowserClient): Promise<unknown> {
  const status = (await browser.get('/auth/status')).json()
  return status['authenticated'] === true ? 'signed in' : status['reason']
}

/** The problem code of an answer, with its status: `401 invalid_credentials`. */
export function problem(answer: SeenAnswer): string {
  return `${answer.status} ${String(answer.json()['code'])}`
}

/** Messages by field of a 422. */
export function fieldsOf(answer: SeenAnswer): readonly string[] {
  const errors = answer.json()['errors']
  return typeof errors === 'object' && errors !== null ? Object.keys(errors).toSorted() : []
}

/** The value of the session cookie, as the browser keeps it. */
export function sessionCookie({ cookies }: BrowserClient): string | undefined {
  return [...cookies].find(([name]) => /session(?:-\d+)?$/.test(name))?.[1].value
}

/** The session of a browser as it stands in the store. */
export async function sessionOf({ services }: StartedApp, browser: BrowserClient): Promise<LiveSession> {
  const cookie = decodeURIComponent(sessionCookie(browser) ?? '')
  const found = await services.sessions.find(cookie.slice('s:'.length).split('.')[0] ?? '')
  if (found?.live === undefined) throw new Error('the browser has no live session')
  return found.live
}
