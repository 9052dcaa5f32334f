// Runs PocketBase as its child and ends it when the server that started us is gone, by kill -9 too: the system then
// closes our channel. Being the parent, it never signals a process id that somebody else has got meanwhile.

import { spawn } from 'node:child_process'

/** What the watchdog tells the server. */
export type WatchdogMessage =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: string | null }

/** PocketBase needs about a second to finish its requests. */
const GRACE_MS = 5000

function watch([binary, ...args]: readonly string[]): void {
  // The server died before we were up: there is nothing to start.
  if (binary === undefined || !process.connected) return
  const child = spawn(binary, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const stop = (): void => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
  }
  child.once('spawn', () => tell({ kind: 'started', pid: child.pid ?? 0 }))
  child.once('error', (error) => finish({ kind: 'failed', message: error.message }))
  child.once('exit', (code, signal) => finish({ kind: 'exited', code, signal }))
  process.once('disconnect', stop)
  process.on('message', stop) // the only message there is
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)
}

function finish(message: WatchdogMessage): void {
  tell(message)
  if (process.connected) process.disconnect()
}

function tell(message: WatchdogMessage): void {
  if (process.connected) process.send?.(message)
}

watch(process.argv.slice(2))
