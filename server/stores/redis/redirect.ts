// What a node of a cluster says when it does not have a slot, or not all of it.

export interface Target {
  /** `host:port` of a node. */
  readonly address: string
  /** The slot is still being moved to this node: it takes the command only after ASKING. */
  readonly isAsked: boolean
}

export interface Redirect {
  readonly target: Target
  readonly pauseMs?: number
}

/** Of the two keys of a command one has been moved and the other not yet, or it is new: until all of the slot has moved. */
const TRY_AGAIN_MS = 20

/** @param from the node that said it: an address without a host is on the same host */
export function readRedirect(message: string, from: Target): Redirect | undefined {
  if (message.startsWith('TRYAGAIN')) return { target: from, pauseMs: TRY_AGAIN_MS }
  const [, word, place = ''] = /^(MOVED|ASK) \d+ (\S+)/.exec(message) ?? []
  if (word === undefined) return undefined
  const address = /^:\d+$/.test(place) ? from.address.slice(0, from.address.lastIndexOf(':')) + place : place
  return { target: { address, isAsked: word === 'ASK' } }
}
