import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loginBudgets } from '../../../server/identity/login-budgets.ts'

const SECRETS = ['k'.repeat(40)]

describe('loginBudgets', () => {
  it('allows 10 wrong passwords per account and address, and 50 per address, in 15 minutes', () => {
    const { account, address } = loginBudgets(SECRETS, 'ann@example.com', '203.0.113.7')
    assert.deepEqual([account.limit, account.windowMs], [10, 900_000])
    assert.deepEqual([address.limit, address.windowMs], [50, 900_000])
  })

  it('opens no new budget for another spelling of the same account', () => {
    const name = (identity: string) => loginBudgets(SECRETS, identity, '203.0.113.7').account.name
    assert.equal(name(' Ann@Example.com '), name('ann@example.com'))
    assert.notEqual(name('ann@example.com'), name('bob@example.com'))
  })

  it('keeps what was typed out of the store', () => {
    const { account } = loginBudgets(SECRETS, 'ann@example.com', '203.0.113.7')
    assert.doesNotMatch(account.name, /ann|example/)
  })

  it('counts each address by itself', () => {
    const at = (ip: string) => loginBudgets(SECRETS, 'ann@example.com', ip)
    assert.notEqual(at('203.0.113.7').account.name, at('203.0.113.8').account.name)
    assert.equal(at('2001:db8::1').address.name, at('2001:db8::2').address.name)
  })
})
