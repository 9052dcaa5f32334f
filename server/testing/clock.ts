// A clock that a test sets: rules about time are tested without waiting.

export interface TestClock {
  /** Epoch milliseconds; goes into the option `now`. */
  readonly now: () => number
  advance(ms: number): void
  set(time: number): void
}

/** @example const clock = createClock(); createAuth({ now: clock.now, … }); clock.advance(2 * 60 * 60 * 1000) */
export function createClock(start: number = Date.now()): TestClock {
  let time = start
  return {
    now: () => time,
    advance: (ms) => {
      time += ms
    },
    set: (newTime) => {
      time = newTime
    },
  }
}
