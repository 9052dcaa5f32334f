// A labelled form field: what the template `field` needs to draw it, its error included.

import type { FieldErrors } from '../errors.ts'

export type FieldType = 'text' | 'email' | 'password' | 'textarea'

export interface FieldSpec {
  readonly name: string
  readonly label: string
  readonly type: FieldType
  readonly autocomplete?: string
  readonly required?: boolean
  readonly hint?: string
}

/** What fills a form: what is stored, and what was typed the last time, which wins. */
export interface Filling {
  readonly values?: Readonly<Record<string, string>>
  readonly errors?: FieldErrors
  readonly stored?: string
}

export interface Field {
  readonly id: string
  readonly name: string
  readonly label: string
  readonly type: FieldType
  /** Always empty for a password: a page never repeats one. */
  readonly value: string
  readonly autocomplete: string
  readonly required: boolean
  readonly hint: string
  readonly error: string
  /** Ids for `aria-describedby`; empty for none. */
  readonly describedBy: string
}

/** Fills in one field of the form named `form`, which makes its id unique on the page. */
export function fillField(form: string, spec: FieldSpec, filling: Filling): Field {
  const id = `${form}-${spec.name.replaceAll('.', '-')}`
  const error = own(filling.errors, spec.name) ?? ''
  const hint = spec.hint ?? ''
  return {
    id,
    name: spec.name,
    label: spec.label,
    type: spec.type,
    value: spec.type === 'password' ? '' : (own(filling.values, spec.name) ?? filling.stored ?? ''),
    autocomplete: spec.autocomplete ?? 'off',
    required: spec.required ?? false,
    hint,
    error,
    describedBy: [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' '),
  }
}

/** Fields are named by configuration and forms, so `constructor` must not be found on the prototype. */
function own(record: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined
}
