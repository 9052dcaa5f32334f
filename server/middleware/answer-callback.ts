// From values that may be there at once to the callbacks of express-session's Store.

import { isPromise, type MaybePromise } from '../lib/maybe-promise.ts'

/**
 * Runs `work` and hands what comes of it to the callback: always later, so that it runs after its caller whatever the
 * store, and so that what the callback throws is not taken for a failure of the work.
 */
export function answerCallback<T>(
  callback: ((error?: unknown, value?: T) => void) | undefined,
  work: () => MaybePromise<T>,
): void {
  const later = (error: unknown, value?: T): void => {
    if (callback !== undefined) process.nextTick(callback, error, value)
  }
  try {
    const result = work()
    if (isPromise(result)) result.then((value) => later(undefined, value), later)
    else later(undefined, result)
  } catch (error) {
    later(error)
  }
}
