// On what the figures were measured.

import { cpus, release, totalmem } from 'node:os'

export function aboutMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  const day = new Date().toISOString().slice(0, 10)
  return `${day}: Node ${process.version}, Linux ${release()}, ${cpus().length} cores (${model}), ${gigabytes} GB.`
}
