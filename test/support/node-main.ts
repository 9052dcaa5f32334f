// One of several servers behind an address that is not its own: `serve`, but it prints the port that it listens on.

import { loadEnvironment } from '../../server/environment.ts'
import { createLogger } from '../../server/logger.ts'
import { startServer } from '../../server/cli/server-run.ts'

const settings = loadEnvironment(process.env, process.cwd())
const logger = createLogger({ level: settings.logLevel })
const run = await startServer(settings, { logger, env: process.env, signal: new AbortController().signal })
process.once('SIGTERM', () => void run.close())
process.stdout.write(`listening on http://127.0.0.1:${run.port}\n`)
