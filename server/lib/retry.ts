// Tries a task again and again, with growing pauses, until it succeeds or is stopped.

import { afterAtMost } from './after-at-most.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000

export interface Retrying {
  /** Settles with the first try, or `waitMs` after its start; never rejects. */
  readonly first: Promise<void>
  /** No further try. One that runs goes on. */
  stop(): void
}

export interface RetryOptions {
  /** How long `first` waits. */
  readonly waitMs: number
  /** After each failure; `count` starts at 1. */
  readonly failed: (error: unknown, count: number) => void
}

/** Starts `task` at once. The next try begins a pause after the last one has failed, so two never overlap. */
export function retry(task: () => Promise<void> | void, { waitMs, failed }: RetryOptions): Retrying {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const attempt = async (count: number): Promise<void> => {
    try {
      await task()
    } catch (error) {
      if (isStopped) return
      failed(error, count)
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (count - 1), LONGEST_PAUSE_MS)
      timer = setTimeout(() => void attempt(count + 1), pauseMs).unref()
    }
  }
  return {
    first: afterAtMost(attempt(1), waitMs),
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
