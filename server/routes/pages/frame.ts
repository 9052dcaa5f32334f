// What the layout of a page gets: title, who is signed in, messages, the CSRF token.

import type { LoadedPage, PageInput } from './page-load.ts'
import { issueCsrfToken } from '../../middleware/csrf-token.ts'
import { ICON, SCRIPT, STYLESHEET } from '../../views/assets.ts'
import type { Field } from '../../views/field.ts'
import { noticeText } from '../../views/notices.ts'
import type { Frame, SummaryItem, ViewName } from '../../views/view-data.ts'
import { AUTH_MOUNT } from '../mount.ts'

export interface FrameAbout<K extends ViewName> {
  readonly view: K
  readonly page: { readonly title: string; readonly form: boolean }
  readonly loaded: LoadedPage<K>
}

/** Builds the frame. Sends the cookie that a form of a visitor who is not signed in is bound to, where there is one. */
export function pageFrame<K extends ViewName>(input: PageInput, { view, page, loaded }: FrameAbout<K>): Frame {
  const { services, session } = input
  const { config } = services
  const { user } = session
  const nonce: unknown = session.res.locals['cspNonce']
  return {
    view,
    title: loaded.title ?? page.title,
    brand: new URL(config.origin).host,
    nonce: typeof nonce === 'string' ? nonce : '',
    assets: { stylesheet: STYLESHEET.url, script: SCRIPT.url, icon: ICON.url },
    csrf: page.form || user !== null ? issueCsrfToken(services, session) : '',
    mount: AUTH_MOUNT,
    links: { home: '/', login: config.paths.login, register: config.registration === 'closed' ? null : '/register' },
    visitor: user && { name: user.email ?? user.id, admin: config.roles(user).includes('admin') },
    notice: noticeText(session.req.query['notice']),
    summary: view === 'error' || view === 'not-found' ? null : summaryOf(input, loaded.fields),
  }
}

function summaryOf({ extras }: PageInput, fields: readonly Field[]): Frame['summary'] {
  const items = Object.entries(extras.errors ?? {}).map(([name, text]) => summaryItem(fields, name, text))
  if (items.length === 0 && extras.message === undefined) return null
  return { title: extras.message ?? 'Please check what you have entered.', items }
}

function summaryItem(fields: readonly Field[], name: string, text: string): SummaryItem {
  const field = fields.find((each) => each.name === name) ?? fields.find((each) => `profile.${each.name}` === name)
  return field === undefined ? { href: null, text } : { href: `#${field.id}`, text: `${field.label}: ${text}` }
}
