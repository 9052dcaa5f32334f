// A server that may be measured: started, its answers checked, warm.

import type { Backends } from './backends.ts'
import { checkServer } from './check-server.ts'
import { startServer, type MeasuredServer } from './measured-server.ts'
import type { Row, Subject } from './subjects.ts'
import { runSlice } from './wrk.ts'

export interface PrepareOptions {
  readonly backends: Backends
  readonly print: (line: string) => void
}

/** What is compiled or cached for the first time is not measured. */
const WARM_UP_SECONDS = 1
/** Until most of the sessions have been asked for once. */
const WARM_UP_MANY_SECONDS = 8

/** Whoever starts it stops it. @throws AssertionError where it gives a wrong answer */
export async function prepareServer(
  subject: Subject,
  paths: ReadonlySet<Row['path']>,
  { backends, print }: PrepareOptions,
): Promise<MeasuredServer> {
  const started = performance.now()
  const cookieFile = backends.file(`${subject.id}.txt`)
  const server = await startServer(subject.program, {
    sessions: subject.sessions,
    store: backends.storeOf(subject),
    cookieFile,
  })
  try {
    await checkServer(server, subject, paths)
    const isPeer = subject.program.startsWith('peers/')
    const seconds = subject.sessions > 1000 && !isPeer ? WARM_UP_MANY_SECONDS : WARM_UP_SECONDS
    for (const path of paths) await runSlice(server, { path, seconds, start: 0 })
  } catch (error) {
    await server.stop()
    throw error
  }
  print(`${subject.id}: checked and warm after ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return server
}
