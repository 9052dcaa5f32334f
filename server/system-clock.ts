// The machine's clock, for whoever is given no other. Rules take the time from `now()` of their services.

/** Epoch milliseconds. */
export function systemClock(): number {
  return Date.now()
}
