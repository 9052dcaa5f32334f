// Installs the server that the MongoDB store is tested on, once, into the user's cache. It is a program of its own (GPL-2.0):
// nothing of it is linked, shipped or kept in the repository.

import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const REQUIREMENTS = fileURLToPath(new URL('mongo-requirements.txt', import.meta.url))
const PYTHONS = ['python3.11', 'python3', 'python']
const WANTED = 'CPython 3.11 x86_64 Linux glibc'
const DESCRIBE =
  'import platform as p; print(p.python_implementation(), *p.python_version_tuple()[:2], p.machine(), p.system(), p.libc_ver()[0])'

const run = promisify(execFile)

/** The Python that has the server as its module `secantus`: from the cache, or installed now, which `print` is told. */
export async function installMongoServer(print: (line: string) => void = () => {}): Promise<string> {
  const folder = cacheFolder()
  const python = join(folder, 'bin', 'python')
  if (existsSync(python)) return python
  const base = await findPython()
  print(`Installing SecantusDB (pip) into ${folder} …`)
  const half = `${folder}.${randomUUID()}`
  try {
    await mkdir(dirname(folder), { recursive: true })
    await run(base, ['-m', 'venv', half])
    const options = ['--quiet', '--disable-pip-version-check', '--require-hashes', '--only-binary', ':all:']
    await run(join(half, 'bin', 'python'), ['-m', 'pip', 'install', ...options, '-r', REQUIREMENTS])
    // Complete or not there at all. Its scripts name the other folder, so that it is run as a module.
    await rename(half, folder)
  } catch (error) {
    // Two test files may have installed it at once: the first is as good.
    if (!existsSync(python)) throw new Error(`SecantusDB could not be installed: ${lastLine(error)}`, { cause: error })
  } finally {
    await rm(half, { recursive: true, force: true })
  }
  return python
}

/** Another list of versions is another folder. */
function cacheFolder(): string {
  const requirements = readFileSync(REQUIREMENTS, 'utf8')
  const version = /^secantusdb==(\S+)/m.exec(requirements)?.[1] ?? 'unknown'
  const hash = createHash('sha256').update(requirements).digest('hex').slice(0, 8)
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return join(cache, 'pocketbase-session', `secantusdb-${version}-${hash}`)
}

async function findPython(): Promise<string> {
  const found: string[] = []
  for (const python of PYTHONS) {
    const what = await describePython(python)
    if (what === WANTED) return python
    found.push(`${python}: ${what}`)
  }
  throw new Error(
    `the MongoDB store is tested on SecantusDB, whose packages are pinned for ${WANTED}, and there is none (${found.join('; ')}). ` +
      'Install Python 3.11 with its venv module, or name a MongoDB in TEST_MONGO_URL and run test/stores/mongo-named.test.ts.',
  )
}

async function describePython(python: string): Promise<string> {
  try {
    const { stdout } = await run(python, ['-c', DESCRIBE])
    return stdout.trim().replace(/(\d) (\d)/, '$1.$2')
  } catch {
    return 'not found' // or not able to run, which is the same here
  }
}

function lastLine(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  return (stderr === '' ? String(error) : stderr).split('\n').at(-1) ?? ''
}
