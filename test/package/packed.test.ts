// The package as its users get it: packed, and installed into an empty project.

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { runCommand } from '../../scripts/command.ts'
import { buildAndPack } from '../../scripts/pack.ts'

/** Beside the package: its peers, and type packages that other middleware brings and that ours must agree with. */
const BESIDE = ['express', 'pocketbase', 'passport', '@types/passport', '@types/node']

const LIST_EXPORTS = `console.log(Object.keys(kit).filter((name) => name !== 'module.exports').sort().join(' '))`

const LOGIN_PAGE = `
import { get } from 'node:http'
import { text } from 'node:stream/consumers'
import express from 'express'
import { createAuth } from 'pocketbase-session'

const auth = await createAuth({
  pocketbase: 'http://127.0.0.1:9',
  origin: 'http://localhost:3000',
  secret: 'a secret of more than thirty-two bytes',
  store: 'memory:',
  logger: { debug() {}, info() {}, warn() {}, error() {} },
})
const app = express().use(auth.securityHeaders(), auth.session(), auth.csrf(), auth.pages())
const server = app.listen(0, '127.0.0.1', () => {
  const options = { port: server.address().port, path: '/login', headers: { accept: 'text/html', host: 'localhost:3000' } }
  get(options, async (answer) => {
    console.log(answer.statusCode, (await text(answer)).includes('name="password"'))
    server.close()
    await auth.close()
  })
})
`

const CONSUMER = `
import express from 'express'
import passport from 'passport'
import { createAuth, type AuthOptions } from 'pocketbase-session'

declare module 'express-session' {
  interface SessionData { basket: string[] }
}

const options: AuthOptions = { pocketbase: 'http://127.0.0.1:8090', origin: 'https://app.example.com', secret: 'x' }
const auth = await createAuth(options)
const app = express()
app.use(auth.securityHeaders(), auth.session(), auth.csrf(), passport.initialize())
app.use('/auth', auth.routes())
app.use(auth.pages())
app.get('/basket', auth.requireAuth(), (req, res) => {
  req.session.basket = [...(req.session.basket ?? []), 'apple']
  // @ts-expect-error -- a field that SessionData does not have
  req.session.baskets = []
  const email: string | undefined = req.user?.email
  const expiresAt: number | undefined = req.auth?.session.expiresAt
  res.json({ email, expiresAt })
})
app.use('/admin', auth.requireRole('admin'))
app.use(auth.errorHandler())
`

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    noEmit: true,
    types: ['node', 'express-session', 'passport'],
    skipLibCheck: false,
  },
  files: ['consumer.mts', 'readme.mts'],
}

describe('the packed package in an empty project', () => {
  let project: string

  before(async () => {
    project = await mkdtemp(join(tmpdir(), 'pbs-package-'))
    const { tarball } = await buildAndPack(project)
    await write('package.json', JSON.stringify({ name: 'empty', private: true, dependencies: {} }))
    const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
    await run('npm', ['install', ...quiet, tarball, ...(await versionsBeside())])
  })

  after(async () => {
    await rm(project, { recursive: true, force: true })
  })

  async function run(command: string, args: readonly string[], cwd = project): Promise<string> {
    const { code, output } = await runCommand(command, args, { cwd })
    assert.equal(code, 0, `${command} ${args.join(' ')}\n${output}`)
    return output
  }

  async function write(name: string, text: string): Promise<void> {
    await writeFile(join(project, name), text)
  }

  it('gives the same names to import and to require', async () => {
    await write('import.mjs', `import * as kit from 'pocketbase-session'\n${LIST_EXPORTS}`)
    await write('require.cjs', `const kit = require('pocketbase-session')\n${LIST_EXPORTS}`)
    const imported = await run(process.execPath, ['import.mjs'])
    assert.match(imported, /\bcreateAuth\b/)
    assert.equal(await run(process.execPath, ['require.cjs']), imported)
  })

  it('gives the conformance suite of stores to import', async () => {
    await write('testing.mjs', `import * as kit from 'pocketbase-session/testing'\n${LIST_EXPORTS}`)
    assert.match(await run(process.execPath, ['testing.mjs']), /\btestStore\b/)
  })

  it('lists its commands', async () => {
    assert.match(await run(join(project, 'node_modules/.bin/pocketbase-session'), ['help']), /serve/)
  })

  it('finds its own templates', async () => {
    await write('login-page.mjs', LOGIN_PAGE)
    assert.equal(await run(process.execPath, ['login-page.mjs']), '200 true\n')
  })

  it('has types for the program in the README, and they agree with @types/express-session and @types/passport', async () => {
    const [, program = ''] = /```ts\n([\s\S]*?)```/.exec(await readFile('README.md', 'utf8')) ?? []
    assert.match(program, /createAuth/)
    await write('readme.mts', program)
    await write('consumer.mts', CONSUMER)
    await write('tsconfig.json', JSON.stringify(TSCONFIG))
    await run(resolve('node_modules/.bin/tsc'), ['-p', 'tsconfig.json'])
  })
})

/** `name@version` as this repository has them. */
async function versionsBeside(): Promise<readonly string[]> {
  const manifest = JSON.parse(await readFile('package.json', 'utf8')) as { devDependencies: Record<string, string> }
  return BESIDE.map((name) => `${name}@${manifest.devDependencies[name]}`)
}
