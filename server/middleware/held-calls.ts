// Calls on a response that wait for a write to the store, kept in order, with the backpressure that callers rely on.

import type { ServerResponse } from 'node:http'
import { functionsOf } from './response-functions.ts'

export interface HeldCall {
  readonly name: 'write' | 'end' | 'flushHeaders'
  readonly args: readonly unknown[]
}

type Listener = (...args: unknown[]) => void

export class HeldCalls {
  readonly #res: ServerResponse
  #calls: HeldCall[] = []
  #drainListeners: Listener[] = []
  #waitsForDrain = false
  #restoreOn: () => void = () => {}

  constructor(res: ServerResponse) {
    this.#res = res
  }

  /** To everybody who asks the headers have left, as they would have without us. */
  lookSent(): void {
    shadow(this.#res, 'headersSent')
  }

  /** From here on calls are held. */
  start(): void {
    this.lookSent()
    this.#restoreOn = this.#catchDrainListeners()
  }

  /** Answers false, as a full `write` does: the caller waits for 'drain'. */
  add(call: HeldCall): false {
    this.#calls.push(call)
    if (call.name === 'write') this.#waitsForDrain = true
    if (call.name === 'end') shadow(this.#res, 'writableEnded')
    return false
  }

  /** Lets all calls go, in order; `run` answers whether the caller may go on writing. */
  replay(run: (call: HeldCall) => boolean): void {
    this.stop()
    const calls = this.#calls
    this.#calls = []
    let hasRoom = true
    for (const call of calls) hasRoom = run(call)
    // Otherwise the response emits its own 'drain' later, or has ended.
    if (this.#waitsForDrain && hasRoom) this.#drain()
    this.#waitsForDrain = false
  }

  /** Forgets all calls; whoever waits for their callbacks is called. */
  drop(): void {
    this.stop()
    for (const { args } of this.#calls) callBack(args)
    this.#calls = []
    if (this.#waitsForDrain) this.#drain()
  }

  /** The answer shows its true state again. */
  stop(): void {
    unshadow(this.#res, 'headersSent')
    unshadow(this.#res, 'writableEnded')
    this.#restoreOn()
    this.#restoreOn = () => {}
  }

  /**
   * Middleware that compresses hands 'drain' listeners to a stream of its own, where our 'drain' would not reach them.
   * So those that come while calls are held are noted, and called by ourselves.
   */
  #catchDrainListeners(): () => void {
    const res = this.#res
    const own = functionsOf(res, 'on')
    const isOwn = Object.hasOwn(res, 'on')
    // Stands in for a function with overloads and passes on what it was given.
    res.on = ((event: string | symbol, listener: Listener) => {
      if (event === 'drain') this.#drainListeners.push(listener)
      else Reflect.apply(own.on, res, [event, listener])
      return res
    }) as ServerResponse['on']
    return () => {
      if (isOwn) Object.assign(res, own)
      else Reflect.deleteProperty(res, 'on')
      for (const listener of this.#drainListeners) res.on('drain', listener)
    }
  }

  #drain(): void {
    const reached = new Set<unknown>(this.#res.rawListeners('drain'))
    this.#res.emit('drain')
    for (const listener of this.#drainListeners) if (!reached.has(listener)) listener.call(this.#res)
    this.#drainListeners = []
  }
}

/** Calls the callback among the arguments of `write` or `end`. */
export function callBack(args: readonly unknown[]): void {
  const callback = args.findLast((arg) => typeof arg === 'function')
  if (callback !== undefined) process.nextTick(callback)
}

function shadow(res: ServerResponse, name: 'headersSent' | 'writableEnded'): void {
  Object.defineProperty(res, name, { configurable: true, value: true })
}

function unshadow(res: ServerResponse, name: 'headersSent' | 'writableEnded'): void {
  Reflect.deleteProperty(res, name)
}
