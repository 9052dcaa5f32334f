// The data that each view takes. A template that overrides one of ours gets the same.

import type { Field } from './field.ts'
import type { Moment } from './moment.ts'

/** A message in the error summary. `href` leads to its field, `null` where it belongs to none on this page. */
export interface SummaryItem {
  readonly href: string | null
  readonly text: string
}

/** What the layout needs, the same for every view. In templates: `it.frame`. */
export interface Frame {
  readonly view: ViewName
  readonly title: string
  /** The public host, `app.example.com`. */
  readonly brand: string
  /** Of the Content-Security-Policy; empty where the app sends none. */
  readonly nonce: string
  readonly assets: { readonly stylesheet: string; readonly script: string; readonly icon: string }
  /** For the hidden field `_csrf`; empty on a page without a form. */
  readonly csrf: string
  /** Where the forms post to, `/auth`. */
  readonly mount: string
  readonly links: { readonly home: string; readonly login: string; readonly register: string | null }
  /** Who is signed in. */
  readonly visitor: { readonly name: string; readonly admin: boolean } | null
  readonly notice: string | null
  readonly summary: { readonly title: string; readonly items: readonly SummaryItem[] } | null
}

export interface HomeData {
  readonly registration: boolean
}

export interface LoginData {
  /** Why the last session ended, as a sentence. */
  readonly ended: string | null
  readonly identity: Field
  readonly password: Field
  readonly remember: boolean
  /** Same-origin path to go to afterwards; empty for the default. */
  readonly returnTo: string
}

export interface RegisterData {
  readonly email: Field
  readonly password: Field
  readonly passwordConfirm: Field
  readonly profile: readonly Field[]
  readonly returnTo: string
}

export interface ForgotPasswordData {
  readonly email: Field
}

export interface ResetPasswordData {
  /** Whether a mail link has been followed; its token stands in a sealed cookie. */
  readonly linked: boolean
  readonly password: Field
  readonly passwordConfirm: Field
}

export interface VerifyEmailData {
  readonly linked: boolean
  /** The address of the signed-in user, who can ask for a new mail. */
  readonly email: string | null
  readonly verified: boolean
}

export interface AccountData {
  readonly email: string
  readonly verified: boolean
  /** Empty where there is no profile to edit. */
  readonly profile: readonly Field[]
  readonly currentPassword: Field
  readonly password: Field
  readonly passwordConfirm: Field
}

/** One session in a list. */
export interface DeviceItem {
  /** The session's public handle. */
  readonly id: string
  readonly current: boolean
  readonly device: string
  readonly handheld: boolean
  readonly ip: string
  readonly createdAt: Moment
  readonly lastSeenAt: Moment
  readonly expiresAt: Moment
}

export interface DevicesData {
  readonly sessions: readonly DeviceItem[]
  readonly others: number
  /** Whether the user has proved recently enough who they are to end other sessions. */
  readonly fresh: boolean
  /** For proving it again. */
  readonly password: Field
}

export interface AdminUser {
  readonly id: string
  readonly email: string
  readonly roles: readonly string[]
  readonly verified: boolean
}

export interface AdminData {
  readonly query: string
  /** `null` before anything was searched for. */
  readonly users: readonly AdminUser[] | null
  readonly selected: { readonly user: AdminUser; readonly sessions: readonly DeviceItem[] } | null
  /** The user that was asked for does not exist. */
  readonly missing: boolean
}

export interface NotFoundData {
  readonly message: string
  readonly path: string
}

export interface ErrorData {
  readonly status: number
  readonly heading: string
  readonly message: string
  /** Same-origin path of the request, where asking again may help. */
  readonly retry: string | null
}

/** View → its data. */
export interface ViewData {
  readonly home: HomeData
  readonly login: LoginData
  readonly register: RegisterData
  readonly 'forgot-password': ForgotPasswordData
  readonly 'reset-password': ResetPasswordData
  readonly 'verify-email': VerifyEmailData
  readonly account: AccountData
  readonly devices: DevicesData
  readonly admin: AdminData
  readonly 'not-found': NotFoundData
  readonly error: ErrorData
}

export type ViewName = keyof ViewData

export const VIEW_NAMES: readonly ViewName[] = [
  'home',
  'login',
  'register',
  'forgot-password',
  'reset-password',
  'verify-email',
  'account',
  'devices',
  'admin',
  'not-found',
  'error',
]
