// A time limit for whatever leaves the process.

/** Rejects with `error()` when `promise` has not settled after `ms` milliseconds. The work itself goes on. */
export function withDeadline<T>(promise: Promise<T>, ms: number, error: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(error()), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
