// The functions of a response, taken off it so that others can stand in for them, and put back or called later.

import type { ServerResponse } from 'node:http'

export type ResponseFunctionName = 'write' | 'end' | 'writeHead' | 'flushHeaders' | 'on'

export type ResponseFunctions<Name extends ResponseFunctionName> = Readonly<
  Record<Name, (this: ServerResponse, ...args: readonly unknown[]) => unknown>
>

/** The functions as they are now. Other middleware may have put its own in the place of Node's. */
export function functionsOf<Name extends ResponseFunctionName>(
  res: ServerResponse,
  ...names: readonly Name[]
): ResponseFunctions<Name> {
  const functions = names.map((name) => [name, Reflect.get(res, name) as unknown])
  return Object.fromEntries(functions) as ResponseFunctions<Name> // one for each name
}
