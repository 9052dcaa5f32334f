// Keeps back the first byte of an answer until what the request has changed is durable.
// Without it a redirect or a body reaches the browser before the write, and a failed write looks like a success.

import type { ServerResponse } from 'node:http'
import type { ProblemError } from '../errors.ts'
import { inBackground } from '../lib/background.ts'
import { isPromise, type MaybePromise } from '../lib/maybe-promise.ts'
import { callBack, HeldCalls, type HeldCall } from './held-calls.ts'
import { muteResponse } from './muted-response.ts'
import type { ResponseFunctions } from './response-functions.ts'
import { applyHead, freezeHead } from './response-head.ts'

/** What the hold asks for. None of them throws or rejects. */
export interface HoldHooks {
  /** Makes everything durable. Answers the problem that has to be sent instead of the handler's answer. */
  commit(): MaybePromise<ProblemError | null>
  /** The last moment to set headers. */
  head(): void
  /** The stream ends: makes durable what has changed since its first byte. */
  finish(): MaybePromise<void>
  /** Sends the problem instead of the handler's answer, on the response's own functions. */
  refuse(problem: ProblemError): void
  /** A held call failed when it was let go. */
  broken(error: unknown): void
}

/**
 * `idle`: nothing to wait for. `open`: the first byte has left. `finishing`: the end waits for the last write.
 * `refused`: somebody else has answered.
 */
type Phase = 'idle' | 'holding' | 'committing' | 'open' | 'finishing' | 'refused'

const IDLE: HoldHooks = { commit: () => null, head: () => {}, finish: () => {}, refuse: () => {}, broken: () => {} }

type OwnFunctions = ResponseFunctions<'write' | 'end' | 'writeHead' | 'flushHeaders'>

export class Hold {
  readonly #res: ServerResponse
  readonly #own: OwnFunctions
  #heldCalls: HeldCalls | undefined
  #hooks = IDLE
  #phase: Phase = 'idle'
  #ended = false
  /** The answer has no byte before its end, so there is nothing that could change between the two. */
  #endsAtOnce = false

  /**
   * In place from the beginning, though it does nothing until it is armed: in `res.end(String(req.session.views++))` the
   * function is looked up before the session is touched.
   */
  constructor(res: ServerResponse) {
    this.#res = res
    // Other middleware may have put its own in the place of Node's. As values, they take any arguments.
    const { write, end, writeHead, flushHeaders } = res as unknown as OwnFunctions
    this.#own = { write, end, writeHead, flushHeaders }
    // Each stands in for a function with overloads and passes on what it was given.
    res.write = ((...args: unknown[]) => this.#write(args)) as ServerResponse['write']
    res.end = ((...args: unknown[]) => this.#end(args)) as ServerResponse['end']
    res.writeHead = (...args: unknown[]) => this.#writeHead(args)
    res.flushHeaders = () => this.#flushHeaders()
  }

  get #held(): HeldCalls {
    this.#heldCalls ??= new HeldCalls(this.#res)
    return this.#heldCalls
  }

  /** From here on the answer waits. */
  arm(hooks: HoldHooks): void {
    if (this.#phase !== 'idle' || this.#res.writableEnded) return
    this.#hooks = hooks
    this.#phase = this.#res.headersSent ? 'open' : 'holding'
  }

  /** Whether headers can no longer be set. */
  get isOpen(): boolean {
    if (this.#phase === 'idle') return this.#res.headersSent
    return this.#phase !== 'holding' && this.#phase !== 'committing'
  }

  #write(args: readonly unknown[]): boolean {
    if (this.#phase === 'holding') this.#commit()
    if (this.#phase === 'open' || this.#phase === 'idle') return this.#pass({ name: 'write', args })
    if (this.#phase === 'committing' && !this.#ended) return this.#held.add({ name: 'write', args })
    callBack(args)
    return true
  }

  #end(args: readonly unknown[]): ServerResponse {
    if (this.#phase === 'holding') {
      this.#endsAtOnce = true
      this.#commit()
    }
    if (this.#phase === 'idle') Reflect.apply(this.#own.end, this.#res, args)
    else if (this.#phase === 'open') this.#endOpen(args)
    else if (this.#phase === 'committing' && !this.#ended) this.#held.add({ name: 'end', args })
    else callBack(args)
    this.#ended = true
    return this.#res
  }

  /** Sends nothing by itself: a byte follows, or `flushHeaders`. Our own calls come here too once all is open. */
  #writeHead(args: readonly unknown[]): ServerResponse {
    if (this.#phase === 'holding') {
      applyHead(this.#res, args)
      this.#held.lookSent()
    } else if (this.#phase !== 'committing' && this.#phase !== 'refused') {
      Reflect.apply(this.#own.writeHead, this.#res, args)
    }
    return this.#res
  }

  #flushHeaders(): void {
    if (this.#phase === 'holding') this.#commit()
    if (this.#phase === 'open' || this.#phase === 'idle') this.#pass({ name: 'flushHeaders', args: [] })
    else if (this.#phase === 'committing') this.#held.add({ name: 'flushHeaders', args: [] })
  }

  #commit(): void {
    this.#phase = 'committing'
    const result = this.#hooks.commit()
    if (!isPromise(result)) {
      this.#settle(result)
      return
    }
    const thaw = freezeHead(this.#res)
    this.#held.start()
    this.#later(async () => {
      const problem = await result
      thaw()
      this.#settle(problem)
    })
  }

  #settle(problem: ProblemError | null): void {
    if (problem !== null) {
      this.#refuse(problem)
      return
    }
    const held = this.#heldCalls
    held?.stop()
    this.#hooks.head()
    this.#phase = 'open'
    if (held === undefined) return
    const ended = this.#ended
    this.#ended = false
    held.replay((call) => (call.name === 'end' ? this.#endOpen(call.args) : this.#pass(call)))
    this.#ended = ended
  }

  #refuse(problem: ProblemError): void {
    this.#phase = 'refused'
    Object.assign(this.#res, this.#own)
    this.#held.stop()
    this.#hooks.refuse(problem)
    muteResponse(this.#res)
    this.#held.drop()
  }

  #pass({ name, args }: HeldCall): boolean {
    const room: unknown = Reflect.apply(this.#own[name], this.#res, args)
    return name === 'write' && room === true
  }

  #endOpen(args: readonly unknown[]): false {
    // A second end is Node's to judge.
    const done = this.#endsAtOnce || this.#ended ? undefined : this.#hooks.finish()
    if (isPromise(done)) this.#endAfter(done, args)
    else this.#pass({ name: 'end', args })
    return false
  }

  #endAfter(done: Promise<void>, args: readonly unknown[]): void {
    this.#phase = 'finishing'
    this.#later(async () => {
      await done
      this.#phase = 'open'
      this.#pass({ name: 'end', args })
    })
  }

  /** What a held call throws has no caller any more. */
  #later(task: () => Promise<void>): void {
    inBackground(task, (error) => {
      this.#hooks.broken(error)
      this.#res.destroy()
    })
  }
}
