// Runs wrk against a server for one slice.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { pathOf, type MeasuredServer } from './measured-server.ts'
import type { Row } from './subjects.ts'

export interface Slice {
  readonly path: Row['path']
  readonly seconds: number
  /** How many requests of the order in which sessions are asked for are left out. */
  readonly after: number
}

export interface SliceResult {
  readonly requests: number
  readonly perSecond: number
  /** Processor time of the server's process, in microseconds a request. */
  readonly cpuMicroseconds: number
}

export const CONNECTIONS = 32

const run = promisify(execFile)

/** @throws where a request failed or was refused */
export async function runSlice(server: MeasuredServer, { path, seconds, after }: Slice): Promise<SliceResult> {
  const load = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', pathOf('cookies.lua'), server.url]
  const args = [...load, '--', path, path === '/hello' ? '-' : server.cookieFile, String(after)]
  const before = server.cpuMs()
  const { stdout } = await run(process.env['WRK_BIN'] ?? 'wrk', args)
  const cpuMs = server.cpuMs() - before
  const { requests, perSecond } = parse(stdout)
  return { requests, perSecond, cpuMicroseconds: (cpuMs * 1000) / requests }
}

function parse(output: string): { readonly requests: number; readonly perSecond: number } {
  const failure = /Non-2xx.*|Socket errors.*/.exec(output)
  if (failure !== null) throw new Error(`wrk: ${failure[0]}`)
  const requests = Number(/(\d+) requests in/.exec(output)?.[1])
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1])
  if (!(requests > 0 && perSecond > 0)) throw new Error(`wrk printed something else:\n${output}`)
  return { requests, perSecond }
}
