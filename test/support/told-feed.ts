// A feed whose listener can be waited for: what was told before has been heard when a word told now has been.

import { randomUUID } from 'node:crypto'
import type { ChangeFeed } from '../../server/stores/change-feed.ts'

export interface ToldFeed {
  readonly feed: ChangeFeed
  /** Settles when everything that was told until now has been heard. */
  catchUp(): Promise<void>
}

export function toldFeed(inner: ChangeFeed): ToldFeed {
  const waiting = new Map<string, () => void>()
  const feed: ChangeFeed = {
    open: (onChange) =>
      inner.open((key) => {
        const heard = waiting.get(key ?? '')
        if (heard === undefined) return onChange(key)
        return heard()
      }),
    close: () => inner.close(),
    get isOpen() {
      return inner.isOpen
    },
    heardUntil: (now) => inner.heardUntil(now),
    announce: (keys) => inner.announce(keys),
    get warnings() {
      return inner.warnings
    },
  }
  const catchUp = async (): Promise<void> => {
    if (!inner.isOpen) return
    const word = randomUUID()
    const heard = new Promise<void>((resolve) => waiting.set(word, resolve))
    await inner.announce([word])
    await heard
    waiting.delete(word)
  }
  return { feed, catchUp }
}
