// The official release, from a mirror of the test: a real archive with one file, and archives that are wrong.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { installRelease } from '../../../../server/pocketbase/launcher/release.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const PROGRAM = '#!/bin/sh\necho "pocketbase version 0.40.4"\n'

let archive: Buffer
let mirror: Server
let baseUrl: string
let folder: string

before(async () => {
  mirror = createServer((req, res) => {
    if (req.url === '/v0.40.4/pocketbase_0.40.4_linux_amd64.zip') res.end(archive)
    else res.writeHead(404).end()
  })
  mirror.listen(0, '127.0.0.1')
  await once(mirror, 'listening')
  baseUrl = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`
})
after(() => mirror.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'release-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A zip archive of stored files (APPNOTE 4.3). */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const sizes = Buffer.alloc(12)
    sizes.writeUInt32LE(crc32(text), 0)
    sizes.writeUInt32LE(text.length, 4)
    sizes.writeUInt32LE(text.length, 8)
    const nameLength = Buffer.from([name.length, 0, 0, 0])
    const start = Buffer.from([20, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), start, sizes, nameLength, Buffer.from(name + text)])
    const at = Buffer.alloc(4)
    at.writeUInt32LE(offset)
    const head = [Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), start, sizes, nameLength]
    central.push(Buffer.concat([...head, Buffer.alloc(10), at, Buffer.from(name)]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(central.length, 4)
  end.writeUInt16LE(central.length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...locals, directory, Buffer.from('PK\u0005\u0006'), end])
}

function install(checksum: string, arch = 'x64'): Promise<void> {
  const checksums = { linux_amd64: checksum }
  return installRelease({ target: join(folder, 'pocketbase'), logger, platform: 'linux', arch, baseUrl, checksums })
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

test('installs the one expected file of an archive with the expected hash', async () => {
  archive = zip({ 'CHANGELOG.md': 'x', pocketbase: PROGRAM, 'LICENSE.md': 'x' })
  await install(sha256(archive))
  assert.deepEqual(readdirSync(folder), ['pocketbase'])
  assert.equal(readFileSync(join(folder, 'pocketbase'), 'utf8'), PROGRAM)
  assert.equal(statSync(join(folder, 'pocketbase')).mode & 0o111, 0o111)
})

test('two installs at once leave one whole file', async () => {
  archive = zip({ pocketbase: PROGRAM })
  await Promise.all([install(sha256(archive)), install(sha256(archive))])
  assert.deepEqual(readdirSync(folder), ['pocketbase'])
  assert.equal(readFileSync(join(folder, 'pocketbase'), 'utf8'), PROGRAM)
})

test('throws an archive with another hash away', async () => {
  archive = zip({ pocketbase: PROGRAM })
  await assert.rejects(install('0'.repeat(64)), /it was thrown away/)
  assert.deepEqual(readdirSync(folder), [])
})

test('writes nothing from an archive that holds only other paths', async () => {
  for (const files of [{ 'bin/pocketbase': PROGRAM }, { '../pocketbase': PROGRAM }]) {
    archive = zip(files)
    await assert.rejects(install(sha256(archive)))
    assert.deepEqual(readdirSync(folder), [])
  }
})

test('says so where the mirror or the platform has no release', async () => {
  await assert.rejects(install('x', 's390x'), /no checked release for linux_s390x/)
  const checksums = { linux_arm64: 'x' }
  const missing = { target: join(folder, 'x'), logger, platform: 'linux', arch: 'arm64', baseUrl, checksums } as const
  await assert.rejects(installRelease(missing), /answered 404/)
})
