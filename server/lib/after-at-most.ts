// Waits for a promise, but not for longer than its caller can wait.

/** The value, or `undefined` after `waitMs`; the work goes on, and a failure after that is nobody's. */
export async function afterAtMost<T>(work: Promise<T>, waitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, waitMs, undefined)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
