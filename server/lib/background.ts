// Work that an answer does not wait for. It is never lost silently: a failure is handed to `onError`.

/** Starts `task` and returns at once. */
export function inBackground(task: () => Promise<unknown>, onError: (error: unknown) => void): void {
  // A callback instead of `await`, on purpose: the caller's answer must not wait for this.
  void Promise.resolve().then(task).catch(onError)
}
