// What the benchmark needs and the project does not bring: the peers' packages, wrk, PocketBase, Redis, PostgreSQL.

import { existsSync, statSync } from 'node:fs'
import { runCommand } from '../scripts/command.ts'
import { fetchNeeds, installDebianPackage, type Need } from '../scripts/test-needs.ts'
import { pathOf } from './measured-server.ts'

type Print = (line: string) => void

const SERVERS: readonly Need[] = ['PocketBase', 'Redis', 'PostgreSQL']

/** @throws where something cannot be had: a comparison with holes is none. */
export async function fetchRequirements(print: Print): Promise<void> {
  const { env, missing } = await fetchNeeds(new Set(SERVERS), print)
  if (missing.size > 0) throw new Error([...missing.values()].join('; '))
  Object.assign(process.env, env)
  if (!(await isThere('wrk'))) await installDebianPackage('wrk', print)
  await installPeers(print)
}

/** The peers' packages are dependencies of the benchmark only, by a lock of its own. */
async function installPeers(print: Print): Promise<void> {
  if (isInstalled()) return
  print('Installing the packages to compare with (npm ci in bench/) …')
  const { code } = await runCommand('npm', ['ci'], { cwd: pathOf('.'), output: 'show', timeoutMs: 600_000 })
  if (code !== 0) throw new Error(`npm ci in bench/ ended with ${code}`)
}

/** npm writes this file last. */
function isInstalled(): boolean {
  const [installed, wanted] = [pathOf('node_modules/.package-lock.json'), pathOf('package-lock.json')]
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs
}

async function isThere(program: string): Promise<boolean> {
  const { code } = await runCommand('which', [program])
  return code === 0
}
