// The pages: address, who may see them, what loads them. A page visitor gets HTML, an API caller the page's data.

import express, { type Request, type RequestHandler, type Response, type Router } from 'express'
import { loadAccount } from './pages/account.ts'
import { loadAdmin } from './pages/admin.ts'
import { loadDevices } from './pages/devices.ts'
import { loadError, loadNotFound } from './pages/failures.ts'
import { loadResetPassword, loadVerifyEmail } from './pages/mail-links.ts'
import type { PageExtras, PageLoad } from './pages/page-load.ts'
import { loadForgotPassword, loadHome, loadLogin, loadRegister } from './pages/sign-in.ts'
import { requireAuth, requireGuest, requireRole } from '../middleware/guards.ts'
import { requestSession, type RequestSession } from '../middleware/request-session.ts'
import { noStore, sendJson } from '../middleware/send-json.ts'
import { wantsPage } from '../middleware/wants-page.ts'
import type { Services } from '../services.ts'
import { ASSETS } from '../views/assets.ts'
import type { ViewName } from '../views/view-data.ts'
import { moveLinkToken } from './pages/move-link-token.ts'
import { pageFrame } from './pages/frame.ts'
import { rendererOf } from './pages/renderer.ts'

export type PageName = ViewName

type Guard = 'public' | 'guest' | 'auth' | 'admin'

interface Page<K extends PageName> {
  /** `null` for a page that only stands in for another. */
  readonly path: string | null
  readonly title: string
  readonly guard: Guard
  /** Whether visitors who are not signed in find a form on it, which needs a CSRF token and its cookie. */
  readonly form: boolean
  /** Whether a mail links to it, with a token. */
  readonly link?: boolean
  readonly load: PageLoad<K>
}

// prettier-ignore
export const PAGES: { readonly [K in PageName]: Page<K> } = {
  home: { path: '/', title: 'Welcome', guard: 'public', form: false, load: loadHome },
  login: { path: '/login', title: 'Sign in', guard: 'guest', form: true, load: loadLogin },
  register: { path: '/register', title: 'Create an account', guard: 'guest', form: true, load: loadRegister },
  'forgot-password': { path: '/forgot-password', title: 'Forgot your password?', guard: 'public', form: true, load: loadForgotPassword },
  'reset-password': { path: '/reset-password', title: 'Choose a new password', guard: 'public', form: true, link: true, load: loadResetPassword },
  'verify-email': { path: '/verify-email', title: 'Confirm your e-mail address', guard: 'public', form: true, link: true, load: loadVerifyEmail },
  account: { path: '/account', title: 'Account', guard: 'auth', form: true, load: loadAccount },
  devices: { path: '/devices', title: 'Devices', guard: 'auth', form: true, load: loadDevices },
  admin: { path: '/admin', title: 'Users', guard: 'admin', form: true, load: loadAdmin },
  'not-found': { path: null, title: 'Not found', guard: 'public', form: false, load: loadNotFound },
  error: { path: null, title: 'Something went wrong', guard: 'public', form: false, load: loadError },
}

const YEAR_S = 31_536_000

export interface PagesOptions {
  /** Serve our home page at `/`. Default false: an app has its own. */
  readonly home?: boolean
}

/**
 * All pages and what they need. Addresses are absolute: mount it at the root, behind `session()`.
 *
 * @throws ConfigError where the folder of overriding templates is missing or one of them cannot be compiled
 */
export function pagesRouter(services: Services, options: PagesOptions = {}): Router {
  rendererOf(services)
  const router = assetsRouter()
  for (const name of Object.keys(PAGES) as PageName[]) {
    const { path, guard, link } = PAGES[name]
    if (path === null || (name === 'home' && options.home !== true)) continue
    const before = link === true ? [moveLinkToken(services, path)] : []
    router.get(path, ...before, ...guardsOf(services, guard), (req, res) => showPage(services, name, req, res))
  }
  return router
}

/** The stylesheet, script and icon. They need no session and may stand in front of it. */
export function assetsRouter(): Router {
  const router = express.Router()
  for (const { url, type, body } of ASSETS) {
    router.get(url, (_req, res) => {
      res.set('Cache-Control', `public, max-age=${YEAR_S}, immutable`)
      res.set('Content-Type', type)
      res.send(body)
    })
  }
  return router
}

/**
 * Renders a page as the answer: the page itself, or a form that failed, with what was typed and what is wrong.
 *
 * @throws whatever loading it throws (ProblemError); nothing has been sent then
 */
export async function sendPage<K extends PageName>(
  services: Services,
  session: RequestSession,
  name: K,
  extras: PageExtras = {},
): Promise<void> {
  const page: Page<K> = PAGES[name]
  const loaded = await page.load({ services, session, extras })
  const frame = pageFrame({ services, session, extras }, { view: name, page, loaded })
  const html = rendererOf(services)(name, loaded.view, frame)
  sendHtml(session.res, extras.status ?? 200, html)
}

async function showPage(services: Services, name: PageName, req: Request, res: Response): Promise<void> {
  const session = requestSession(req)
  if (wantsPage(req)) return sendPage(services, session, name)
  const { model } = await PAGES[name].load({ services, session, extras: {} })
  res.vary('Accept')
  sendJson(res, 200, model)
}

/** Without ETag, so that no page of somebody who has signed out is shown again by a 304. */
function sendHtml(res: Response, status: number, html: string): void {
  noStore(res)
  res.vary('Accept')
  res
    .status(status)
    .type('html')
    .set('Content-Length', String(Buffer.byteLength(html)))
    .end(html)
}

function guardsOf(services: Services, guard: Guard): RequestHandler[] {
  if (guard === 'public') return []
  if (guard === 'guest') return [requireGuest(services)]
  if (guard === 'auth') return [requireAuth(services)]
  return [requireRole(services, 'admin')]
}
