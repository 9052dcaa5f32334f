// express-session, unmodified, run when a handler first touches `req.session`. What it is not asked to do: its cookie and its
// end of the response. It answers before a save is done, and sends its cookie by other rules than ours.

import { randomBytes } from 'node:crypto'
import expressSession from 'express-session'
import type { Request, RequestHandler } from 'express'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import { createSessionId, tagOf } from '../sessions/session-id.ts'
import { contextOf, type RequestContext } from './request-context.ts'
import { SessionAdaptor } from './session-adaptor.ts'
import { functionsOf } from './response-functions.ts'
import type { SessionEngine, SessionServices } from './session-kit.ts'
import { unsavedFields } from './tracked-session.ts'

export class ExpressSession implements SessionEngine {
  readonly #adaptor: SessionAdaptor
  readonly #middleware: RequestHandler

  constructor(services: SessionServices) {
    this.#adaptor = new SessionAdaptor(services)
    const { secure, sameSite } = services.config.cookie
    this.#middleware = expressSession({
      store: this.#adaptor,
      genid: newId,
      // No cookie can have this name, so it asks the adaptor for a session, which gives it the one that was found:
      // a second parser with rules of its own could come to another result.
      name: ';',
      secret: randomBytes(32).toString('base64'),
      resave: false,
      saveUninitialized: false,
      cookie: { path: '/', httpOnly: true, secure, sameSite },
    })
  }

  start(context: RequestContext): void {
    const { req, res } = context
    context.started = true
    // It begins with `if (req.session) return next()`, which must not be our accessor.
    for (const name of ['session', 'sessionID', 'sessionStore']) {
      Object.defineProperty(req, name, { configurable: true, enumerable: true, writable: true, value: undefined })
    }
    const own = functionsOf(res, 'end', 'writeHead')
    let failure: unknown
    void this.#middleware(req, res, (error: unknown) => {
      failure ??= error
    })
    Object.assign(res, own)
    if (failure !== undefined) throw failure as Error // express-session passes on what was thrown in it
    context.hold()
  }

  reread({ req }: RequestContext): void {
    this.#adaptor.generate(req)
  }

  unsaved({ req }: RequestContext): ReadonlyMap<string, unknown> {
    const session: unknown = req.session
    const tracked = this.#adaptor.track(Object(session) as object) // what is no session of ours has no changes
    return tracked === undefined ? new Map() : unsavedFields(req.session, tracked.saved)
  }

  save(context: RequestContext): MaybePromise<void> {
    const { req } = context
    const session: unknown = req.session
    if (session === undefined || session === null) return this.#endRegenerated(context)
    // As in express-session: without an id of ours there is nothing to save under.
    if (typeof req.sessionID !== 'string') return
    return this.#adaptor.save(context, Object(session) as object) // a primitive is no session, and refused as such
  }

  /** After `regenerate` the old session has been given up, even where no new one followed. */
  #endRegenerated(context: RequestContext): MaybePromise<void> {
    const replaces = context.regeneratedFrom
    if (replaces === null) return
    return this.#adaptor.end(context, { live: replaces, replaces: null })
  }
}

/** A rotation keeps the tag, so that both rows share a slot of a sharded store. */
function newId(req: Request): string {
  const old = contextOf(req)?.session
  return old === undefined || old === null ? createSessionId() : createSessionId(tagOf(old.id))
}
