// What loads a page: plain data for an API caller, and the data of the view, with its form fields filled in.

import type { FieldErrors } from '../../errors.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { RequestSession } from '../../middleware/request-session.ts'
import type { Services } from '../../services.ts'
import type { Field } from '../../views/field.ts'
import type { ViewData, ViewName } from '../../views/view-data.ts'

/** What a form that failed hands to its page. */
export interface PageExtras {
  readonly status?: number
  readonly errors?: FieldErrors
  /** What was typed, by field name. Passwords are never shown again. */
  readonly values?: Readonly<Record<string, string>>
  /** What went wrong as a whole, safe for anyone to read. */
  readonly message?: string
}

export interface PageInput {
  readonly services: Services
  readonly session: RequestSession
  readonly extras: PageExtras
}

export interface LoadedPage<K extends ViewName> {
  /** What an API caller gets. */
  readonly model: object
  readonly view: ViewData[K]
  /** All fields on the page, so that the error summary can lead to them. */
  readonly fields: readonly Field[]
  /** For a title that depends on the data. */
  readonly title?: string
}

export type PageLoad<K extends ViewName> = (input: PageInput) => MaybePromise<LoadedPage<K>>

/** A query parameter that occurs exactly once, cut to `maxLength`; otherwise empty. */
export function queryText(input: PageInput, name: string, maxLength = 200): string {
  const value: unknown = input.session.req.query[name]
  // A cut may part a surrogate pair, which no URL can hold.
  return typeof value === 'string' ? value.slice(0, maxLength).toWellFormed() : ''
}
