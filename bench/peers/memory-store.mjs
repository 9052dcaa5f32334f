// express-session with its MemoryStore.

import session from 'express-session'
import { serveExpressSession } from './serve.mjs'

await serveExpressSession(new session.MemoryStore())
