// What a caching store has to know of other processes: which rows they have changed, and until when it would have heard of it.

export interface ChangeFeed {
  /**
   * Begins to listen, and goes on until it is closed, whatever happens to the connection. Settles when it listens, or when it is
   * known that it cannot for the moment. `onChange` gets the key of each row that was changed, `null` where it may be any.
   */
  open(onChange: (key: string | null) => void): Promise<void>
  close(): Promise<void>
  /** Whether it listens. What is read at other times must not be kept. */
  readonly isOpen: boolean
  /**
   * Every change that was acknowledged before this moment has been heard of; both are of `performance.now()`. Called with each
   * use, by which it knows when to ask again.
   */
  heardUntil(now: number): number
  /** Tells the other processes, where the write itself does not. */
  announce(keys: readonly string[]): Promise<void>
  /** Why it cannot listen: sentences for the operator. */
  readonly warnings: readonly string[]
}
