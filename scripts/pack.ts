// Builds and packs the package as it would be published.

import { join } from 'node:path'
import { runCommand } from './command.ts'

export interface Packed {
  /** Path of the .tgz. */
  readonly tarball: string
  /** What is in it, from the package's root. */
  readonly files: readonly string[]
}

/** @throws Error with the output of what failed */
export async function buildAndPack(folder: string): Promise<Packed> {
  await mustRun('npm', ['run', '--silent', 'build'])
  const quiet = ['--json', '--ignore-scripts', '--loglevel=error']
  const output = await mustRun('npm', ['pack', ...quiet, `--pack-destination=${folder}`])
  // The shape is npm's own, documented in npm-pack(1).
  const [packed] = JSON.parse(output) as [{ filename: string; files: { path: string }[] }]
  return { tarball: join(folder, packed.filename), files: packed.files.map((file) => file.path) }
}

async function mustRun(command: string, args: readonly string[]): Promise<string> {
  const { code, output } = await runCommand(command, args)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ended with ${code}\n${output}`)
  return output
}
