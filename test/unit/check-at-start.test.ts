import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findAtStart } from '../../server/check-at-start.ts'
import { resolveConfig } from '../../server/config.ts'
import type { Report } from '../../server/pocketbase/port.ts'

const config = resolveConfig({
  pocketbase: 'http://127.0.0.1:8090',
  origin: 'https://app.example.test',
  secret: 'Zq3v8Kx1Lm5Rt7Wb9Yd2Hf4Jg6NcPsAu',
})
const GOOD: Report = {
  hooks: true,
  version: '0.40.4',
  tokenLifeMs: 15 * 86_400_000,
  seenIp: '192.0.2.1',
  profiles: true,
  roles: true,
}

function kindsOf(change: Partial<Report>): readonly string[] {
  return findAtStart({ ...GOOD, ...change }, config).map(({ kind }) => kind)
}

describe('the look at PocketBase when we start', () => {
  it('finds nothing wrong with one that is set up by us', () => {
    assert.deepEqual(kindsOf({}), [])
  })

  it('tells what one without our hooks lacks', () => {
    const bare = { hooks: false, version: null, tokenLifeMs: null, seenIp: null, profiles: false, roles: false }
    assert.deepEqual(kindsOf(bare), ['hooks', 'profiles', 'roles'])
  })

  it('warns where tokens die before the longest idle timeout', () => {
    assert.deepEqual(kindsOf({ tokenLifeMs: 14 * 86_400_000 - 1 }), ['token_life'])
    assert.deepEqual(kindsOf({ tokenLifeMs: 14 * 86_400_000 }), [])
  })

  it('warns where PocketBase sees our address instead of the browser’s', () => {
    assert.deepEqual(kindsOf({ seenIp: '127.0.0.1' }), ['address'])
  })

  it('asks for no profiles where none are configured', () => {
    const found = findAtStart({ ...GOOD, profiles: false }, { ...config, profile: false })
    assert.deepEqual(found, [])
  })
})
