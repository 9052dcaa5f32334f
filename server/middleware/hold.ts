// Keeps back the first byte of an answer until what the request has changed is durable.
// Without it a redirect or a body reaches the browser before the write, and a failed write looks like a success.

import type { ServerResponse } from 'node:http'
import type { ProblemError } from '../errors.ts'
import { inBackground } from '../lib/background.ts'
import { isPromise, type MaybePromise } from '../lib/maybe-promise.ts'
import { callBack, HeldCalls, type HeldCall } from './held-calls.ts'
import { muteResponse } from './muted-response.ts'
import { functionsOf, type ResponseFunctions } from './response-functions.ts'
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

/** `open`: calls go through. `finishing`: the end waits for the last write. `refused`: somebody else has answered. */
type Phase = 'holding' | 'committing' | 'open' | 'finishing' | 'refused'

export class Hold {
  readonly #res: ServerResponse
  readonly #hooks: HoldHooks
  readonly #own: ResponseFunctions<'write' | 'end' | 'writeHead' | 'flushHeaders'>
  readonly #held: HeldCalls
  #phase: Phase
  #ended = false
  /** The answer has no byte before its end, so there is nothing that could change between the two. */
  #endsAtOnce = false

  constructor(res: ServerResponse, hooks: HoldHooks) {
    this.#res = res
    this.#hooks = hooks
    this.#held = new HeldCalls(res)
    this.#phase = res.headersSent ? 'open' : 'holding'
    this.#own = functionsOf(res, 'write', 'end', 'writeHead', 'flushHeaders')
    // Each stands in for a function with overloads and passes on what it was given.
    res.write = ((...args: unknown[]) => this.#write(args)) as ServerResponse['write']
    res.end = ((...args: unknown[]) => this.#end(args)) as ServerResponse['end']
    res.writeHead = (...args: unknown[]) => this.#writeHead(args)
    res.flushHeaders = () => this.#flushHeaders()
  }

  /** Whether headers can no longer be set. */
  get isOpen(): boolean {
    return this.#phase !== 'holding' && this.#phase !== 'committing'
  }

  #write(args: readonly unknown[]): boolean {
    if (this.#phase === 'holding') this.#commit()
    if (this.#phase === 'open') return this.#pass({ name: 'write', args })
    if (this.#phase === 'committing' && !this.#ended) return this.#held.add({ name: 'write', args })
    callBack(args)
    return true
  }

  #end(args: readonly unknown[]): ServerResponse {
    if (this.#phase === 'holding') {
      this.#endsAtOnce = true
      this.#commit()
    }
    if (this.#phase === 'open') this.#endOpen(args)
    else if (this.#phase === 'committing' && !this.#ended) this.#held.add({ name: 'end', args })
    else callBack(args)
    this.#ended = true
    return this.#res
  }

  /** Sends nothing by itself: a byte follows, or `flushHeaders`. Our own calls come here too once all is open. */
  #writeHead(args: readonly unknown[]): ServerResponse {
    if (this.#phase === 'open' || this.#phase === 'finishing') {
      Reflect.apply(this.#own.writeHead, this.#res, args)
    } else if (this.#phase === 'holding') {
      applyHead(this.#res, args)
      this.#held.lookSent()
    }
    return this.#res
  }

  #flushHeaders(): void {
    if (this.#phase === 'holding') this.#commit()
    if (this.#phase === 'open') this.#pass({ name: 'flushHeaders', args: [] })
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
    this.#held.stop()
    this.#hooks.head()
    this.#phase = 'open'
    const ended = this.#ended
    this.#ended = false
    this.#held.replay((call) => (call.name === 'end' ? this.#endOpen(call.args) : this.#pass(call)))
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
