// What the hold of a request does: write what has changed, say so in the cookie, or answer with what went wrong.

import { SessionGoneError, type ProblemError } from '../errors.ts'
import { andThen, attempt, type MaybePromise } from '../lib/maybe-promise.ts'
import type { HoldHooks } from './hold.ts'
import { sendRefusal } from './send-refusal.ts'
import type { RequestContext } from './request-context.ts'
import { toProblem } from './to-problem.ts'

export function holdHooks(context: RequestContext): HoldHooks {
  return {
    commit: () => commit(context),
    head: () => sendCookie(context),
    finish: () => finish(context),
    refuse: (problem) => sendRefusal(context.req, context.res, problem),
    broken: (error) => context.kit.services.logger.error({ err: error }, 'an answer could not be sent'),
  }
}

function commit(context: RequestContext): MaybePromise<ProblemError | null> {
  return andThen(write(context), (problem) => {
    if (problem !== null || context.cookieChange !== 'renew') return problem
    return andThen(confirmRenewal(context), () => null)
  })
}

/** The request may have taken long: a dead id must not overwrite the cookie of the login that has ended it. */
function confirmRenewal(context: RequestContext): MaybePromise<void> {
  const { session, kit } = context
  const isLive = attempt(
    () => andThen(session && kit.services.sessions.reload(session), (found) => found?.live !== undefined),
    () => false, // the old cookie is still good; the next request tries again
  )
  return andThen(isLive, (live) => void (live || context.changeCookie('none')))
}

/** A handler that has answered with an error itself is believed; nothing is written behind its back then. */
function write(context: RequestContext): MaybePromise<ProblemError | null> {
  return andThen(context.writes.settled(), () => {
    const { failure } = context.writes
    if (failure !== null) return context.res.statusCode < 400 ? lost(context, failure) : null
    return save(context, (error) => lost(context, toProblem(error)))
  })
}

/** The answer has begun and cannot be taken back: what fails now can only be told to the operator. */
function finish(context: RequestContext): MaybePromise<void> {
  return andThen(context.writes.settled(), () => {
    const { failure } = context.writes
    if (failure !== null) return reportLost(context, failure)
    return andThen(
      save(context, (error) => reportLost(context, toProblem(error))),
      () => undefined,
    )
  })
}

function save<T>(context: RequestContext, onError: (error: unknown) => T): MaybePromise<T | null> {
  if (!context.started) return null
  return attempt<T | null>(() => andThen(context.kit.engine.save(context), () => null), onError)
}

function lost(context: RequestContext, problem: ProblemError): ProblemError {
  reportLost(context, problem)
  return problem
}

function reportLost(context: RequestContext, problem: ProblemError): void {
  const { services } = context.kit
  const { session, user, client } = context
  const isGone = problem instanceof SessionGoneError
  if (!isGone) services.logger.error({ err: problem.cause ?? problem, code: problem.code }, 'a session was not written')
  services.events.emit('session_lost_write', {
    userId: user?.id ?? null,
    ...(session === null ? {} : { session: session.record.handle }),
    ip: client.ip,
    why: isGone ? 'gone' : context.isSent ? 'after_headers' : 'store',
  })
}

function sendCookie({ cookieChange, session, res, kit }: RequestContext): void {
  if (cookieChange === 'none') return
  // A cache that kept this answer would give the cookie to others.
  if (!res.hasHeader('Cache-Control')) res.setHeader('Cache-Control', 'private, no-store')
  if (cookieChange === 'clear' || session === null) kit.cookie.clear(res)
  else kit.cookie.put(res, session)
}
