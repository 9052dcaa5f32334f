import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { createRedisStore } from '../../../../server/stores/redis.ts'

test('where the driver is not installed, the error says how to install it', async () => {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'redis') return next(specifier, context)
      throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    },
  })
  try {
    await assert.rejects(createRedisStore({ url: 'redis://localhost' }), (error: Error) => {
      assert.equal(error.name, 'ConfigError')
      assert.match(error.message, /npm install redis@6\.3\.1/)
      return true
    })
  } finally {
    hooks.deregister()
  }
})
