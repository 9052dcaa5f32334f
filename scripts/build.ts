// npm run build: server/ → dist/, with the templates, stylesheets and scripts of the pages.

import { cp, glob, rm } from 'node:fs/promises'
import { runCommand } from './command.ts'

await rm('dist', { recursive: true, force: true })
const { code, output } = await runCommand('tsc', ['-p', 'tsconfig.build.json'])
if (code !== 0) {
  process.stderr.write(output)
  process.exit(1)
}
for await (const entry of glob('server/**/*', { withFileTypes: true })) {
  if (!entry.isFile() || entry.name.endsWith('.ts')) continue
  const source = `${entry.parentPath}/${entry.name}`
  await cp(source, source.replace(/^(.*\/)?server\//, 'dist/'))
}
