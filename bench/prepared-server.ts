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
const WARM_UP_STEPS = 15

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
    ...(subject.cache === undefined ? {} : { cache: subject.cache }),
  })
  try {
    await checkServer(server, subject, paths)
    for (const path of paths) await warmUp(server, subject, path)
  } catch (error) {
    await server.stop()
    throw error
  }
  print(`${subject.id}: checked and warm after ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return server
}

/** Until each session has been asked for once, where ours may keep it; the peers keep nothing beside their stores. */
async function warmUp(server: MeasuredServer, { program, sessions }: Subject, path: Row['path']): Promise<void> {
  const enough = program.startsWith('peers/') ? 1 : sessions
  let requests = 0
  for (let step = 0; step < WARM_UP_STEPS && requests < enough; step += 1) {
    requests += (await runSlice(server, { path, seconds: WARM_UP_SECONDS, after: requests })).requests
  }
}
