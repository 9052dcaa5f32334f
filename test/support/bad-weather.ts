// A connection in bad weather of random kinds and lengths, with fair weather in between.

import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { UnsteadyProxy } from './unsteady-proxy.ts'

/** Runs `work` in bad weather. Each spell of bad, and of fair, weather lasts at most so long. */
export async function inBadWeather<T>(
  proxy: UnsteadyProxy,
  { badMs, fairMs }: { readonly badMs: number; readonly fairMs: number },
  work: () => Promise<T>,
): Promise<T> {
  const stopping = new AbortController()
  const running = (async () => {
    while (!stopping.signal.aborted) {
      worsen(proxy)
      await delay(randomInt(badMs))
      proxy.heal()
      await delay(randomInt(fairMs))
    }
  })()
  try {
    return await work()
  } finally {
    stopping.abort()
    await running
  }
}

function worsen(proxy: UnsteadyProxy): void {
  const kinds = [
    () => proxy.cut(),
    () => proxy.stall(),
    () => proxy.stall('answers'),
    () => proxy.delay(randomInt(1, 40)),
    () => proxy.delay(randomInt(40, 250)),
  ]
  kinds[randomInt(kinds.length)]?.()
}
