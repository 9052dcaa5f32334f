// What would be published: built, packed, and held against what belongs into it.

import { glob, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from './command.ts'
import { buildAndPack } from './pack.ts'

/** What is in the package beside dist/ and pocketbase/. */
const TOP_LEVEL = ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE']

/** Never published, whatever else a rule lets in: tests, data, settings, keys. */
const FORBIDDEN = /(^|\/)(test|data|\.env.*|secret)(\/|$)|\.(test\.\w+|db|eml|pem|key|tgz)$/

/** ESM only: CommonJS gets it by require(esm), which every Node that `engines` allows can do. */
const ATTW = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm', '--format', 'ascii', '--no-emoji']

/** Builds and packs. Answers what is wrong, empty for nothing. */
export async function checkPackage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pbs-pack-'))
  try {
    const { tarball, files } = await buildAndPack(folder)
    const wrong = await compare(files)
    const attw = await runCommand('attw', [tarball, ...ATTW])
    const publint = await runCommand('publint', ['run', tarball, '--strict'])
    for (const { code, output } of [attw, publint]) if (code !== 0) wrong.push(output.trim())
    return wrong.join('\n')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The package is exactly what follows from the sources: nothing missing, nothing beside. */
async function compare(files: readonly string[]): Promise<string[]> {
  const expected = new Set([...TOP_LEVEL, ...(await expectedFromSources())])
  return [
    ...Array.from(expected.difference(new Set(files)), (file) => `missing from the package: ${file}`),
    ...files.filter((file) => !expected.has(file)).map((file) => `does not belong into the package: ${file}`),
    ...files.filter((file) => FORBIDDEN.test(file)).map((file) => `must never be published: ${file}`),
  ]
}

async function expectedFromSources(): Promise<readonly string[]> {
  const files: string[] = []
  for await (const entry of glob('{server,pocketbase}/**/*', { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name).slice(process.cwd().length + 1)
    const built = path.replace(/^server\//, 'dist/')
    if (path.startsWith('pocketbase/')) files.push(path)
    else if (path.endsWith('.ts')) files.push(built.replace(/ts$/, 'js'), built.replace(/ts$/, 'd.ts'))
    else files.push(built) // templates, stylesheets and scripts of the pages
  }
  return files
}
