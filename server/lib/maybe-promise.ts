// Values that may be there at once or by a promise. What is synchronous stays synchronous:
// a store in the process answers without a turn of the event loop.

/** A value, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/** Whether `value` is a promise and has to be awaited. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise
}

/** Runs `next` on the value: at once where it is there, after it where it is a promise. */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Runs `work`; an error, thrown at once or rejected later, becomes what `onError` answers. */
export function attempt<T>(work: () => MaybePromise<T>, onError: (error: unknown) => T): MaybePromise<T> {
  try {
    const result = work()
    // Not awaited: what is there at once has to be answered at once.
    return isPromise(result) ? result.catch(onError) : result
  } catch (error) {
    return onError(error)
  }
}
