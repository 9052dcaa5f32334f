// pocketbase-session serve: the server until a signal ends it.

import closeWithGrace from 'close-with-grace'
import { parseArgs } from 'node:util'
import { loadEnvironment } from '../environment.ts'
import { createLogger } from '../logger.ts'
import { readableLines } from './readable-lines.ts'
import { startServer, type ServerRun } from './server-run.ts'
import { startMessage } from './start-message.ts'
import type { Command } from './io.ts'

/** Longer than the requests, the store and PocketBase take to end. */
const GRACE_MS = 30_000
/** Ctrl-C in a terminal reaches us twice when npm runs us: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 1000

export const serve: Command = async (args, io) => {
  parseArgs({ args: [...args], options: {} })
  const settings = loadEnvironment(io.env, io.cwd)
  const destination = process.stdout.isTTY ? { destination: readableLines(io.print) } : {}
  const logger = createLogger({ level: settings.logLevel, ...destination })
  const aborting = new AbortController()
  const starting = startServer(settings, { logger, env: io.env, signal: aborting.signal })
  const grace = closeWithGrace(
    { delay: GRACE_MS, logger: false, skip: ['SIGINT', 'SIGTERM', 'SIGHUP'] },
    async ({ err }) => {
      if (err !== undefined) logger.error({ err }, 'an unexpected error; stopping')
      aborting.abort()
      await stop(starting)
    },
  )
  onStopSignal((isFirst) => {
    if (!isFirst) process.exit(1)
    logger.info({}, 'stopping')
    grace.close()
  })
  try {
    const run = await starting
    io.print(startMessage(run, settings))
  } catch (error) {
    if (!aborting.signal.aborted) grace.uninstall()
    if (!aborting.signal.aborted) throw error
  }
  // The process lives on by its listener and ends by close-with-grace.
  return 0
}

async function stop(starting: Promise<ServerRun>): Promise<void> {
  const [started] = await Promise.allSettled([starting])
  if (started.status === 'fulfilled') await started.value.close()
}

/** Calls back for the first signal, and for one that comes later than a mere echo of it. */
function onStopSignal(act: (isFirst: boolean) => void): void {
  let firstAt: number | undefined
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      const now = performance.now()
      if (firstAt !== undefined && now - firstAt < SAME_SIGNAL_MS) return
      const isFirst = firstAt === undefined
      firstAt ??= now
      act(isFirst)
    })
  }
}
