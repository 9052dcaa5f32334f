// Pages for what is not there and for what went wrong.

import { safeReturnTo } from '../../lib/return-to.ts'
import type { LoadedPage, PageInput } from './page-load.ts'

const MAX_SHOWN = 200

const HEADINGS: Readonly<Record<number, string>> = {
  400: 'That did not work',
  401: 'Please sign in',
  403: 'This is not for you',
  404: 'There is nothing here',
  413: 'That was too much',
  429: 'Too many attempts',
  502: 'We cannot do this at the moment',
  503: 'We will be back in a moment',
}

export function loadNotFound({ session, extras }: PageInput): LoadedPage<'not-found'> {
  const [path = ''] = session.req.originalUrl.split('?')
  const message = extras.message ?? 'There is nothing at this address.'
  return { model: {}, view: { message, path: path.slice(0, MAX_SHOWN) }, fields: [] }
}

export function loadError({ session, services, extras }: PageInput): LoadedPage<'error'> {
  const status = extras.status ?? 500
  const heading = HEADINGS[status] ?? 'Something went wrong'
  const message = extras.message ?? 'It is our fault, not yours. Please try again in a moment.'
  const again = session.req.method === 'GET' && (status >= 500 || status === 429)
  const path = again ? safeReturnTo(session.req.originalUrl, services.config.origin, '') : ''
  return { model: {}, view: { status, heading, message, retry: path === '' ? null : path }, fields: [], title: heading }
}
