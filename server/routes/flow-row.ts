// A row of the table of flows: everything about a route but what it does.

import type { Flow, Outcome } from '../controllers/flow.ts'
import type { AddressLimit } from '../middleware/rate-limit.ts'
import type { RequestSession } from '../middleware/request-session.ts'
import type { PageName } from './pages.ts'

/** Who may use a flow: `anyone`, the signed-in, those who proved lately who they are, or administrators. */
export type Access = 'anyone' | 'user' | 'fresh' | 'admin'

/** `login`, `afterLogin`, `afterLogout` of the configured paths, or one of our pages. */
export type FormTarget = 'login' | 'afterLogin' | 'afterLogout' | { readonly page: PageName }

/** How a flow behaves when a plain HTML form calls it. */
export interface FormRow {
  /** The page that is shown again when the form fails; `error` where it stands on every page. */
  readonly page: PageName
  /** Where it leads to. A form that names `returnTo` goes there, where that is one of our pages. */
  readonly to: FormTarget | ((session: RequestSession) => FormTarget)
  /** The form's token is the one of the mail link in the sealed cookie. */
  readonly mailLink?: true
}

/** A flow that sends a mail. Beyond the recipient's limit none is sent, and the answer is the same. */
export interface MailRow {
  /** The address in the body, or the signed-in user's own. */
  readonly to: 'body' | 'user'
  /** What the flow answers. */
  readonly answer: Outcome
}

export interface FlowRow {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the mount path. */
  readonly path: string
  readonly flow: Flow
  readonly access: Access
  readonly limit?: AddressLimit
  readonly mail?: MailRow
  /** Forms are taken too. */
  readonly form?: FormRow
  /** JSON is not taken here: forms know only POST, and this stands in for another method. */
  readonly formOnly?: true
}
